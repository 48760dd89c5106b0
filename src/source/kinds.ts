// What a file is by its first bytes, for who gives one that is no JSON: magic numbers, and what text begins with.

/** How bytes are packed that hold JSON all the same. */
export type Packing = 'gzip' | 'zstd'

/** What a file is that cannot be read, in the words of a message, and what can be done with it. */
export interface Stranger {
  readonly what: string
  readonly hint: string
}

/** As many of the first bytes as are looked at. */
export const magicBytes = 512

const unpackings: readonly (readonly [Packing, readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b]], // RFC 1952 §2.3.1
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]], // RFC 8878 §3.1.1
]

export function packingOf(start: Uint8Array): Packing | null {
  return unpackings.find(([, magic]) => beginsWith(start, magic))?.[0] ?? null
}

const ascii = (text: string): number[] => [...Buffer.from(text, 'latin1')]
const unpack = (command: string): string => `unpack it: ${command} | truto-export convert -`
const reads = 'convert reads saved pages, NDJSON and JSON'
const recode = (from: string): string => `write it as UTF-8: iconv -f ${from} -t UTF-8 FILE | truto-export convert -`

const magics: readonly (readonly [magic: readonly number[], what: string, hint: string])[] = [
  [ascii('PAR1'), 'a Parquet file', reads],
  [ascii('SQLite format 3\0'), 'an SQLite database', reads],
  [ascii('PK\u0003\u0004'), 'a zip file (as an Excel workbook is)', unpack('unzip -p FILE')],
  [[0xfd, ...ascii('7zXZ\0')], 'an xz file', unpack('xz -dc FILE')],
  [ascii('BZh'), 'a bzip2 file', unpack('bzip2 -dc FILE')],
  [[0x04, 0x22, 0x4d, 0x18], 'an lz4 file', unpack('lz4 -dc FILE')],
  [ascii('ARROW1'), 'an Arrow file', reads],
  [ascii('Obj\u0001'), 'an Avro file', reads],
  [ascii('ORC'), 'an ORC file', reads],
  [ascii('%PDF-'), 'a PDF document', reads],
  [[0xff, 0xfe, 0, 0], 'UTF-32 text', recode('UTF-32')],
  [[0, 0, 0xfe, 0xff], 'UTF-32 text', recode('UTF-32')],
  [[0xff, 0xfe], 'UTF-16 text', recode('UTF-16')],
  [[0xfe, 0xff], 'UTF-16 text', recode('UTF-16')],
]

/** What bytes are that begin so, where they are surely no JSON; null where they may be. */
export function strangerIn(start: Uint8Array): Stranger | null {
  const found = magics.find(([magic]) => beginsWith(start, magic))
  if (found !== undefined) return { what: found[1], hint: found[2] }
  const [first, second] = start
  // a bracket or a brace, in two bytes (RFC 4627 §3): no JSON in UTF-8 has a NUL
  if (second === 0 && isOpening(first)) return { what: 'UTF-16 text', hint: recode('UTF-16LE') }
  if (first === 0 && isOpening(second)) return { what: 'UTF-16 text', hint: recode('UTF-16BE') }
  const text = Buffer.from(start)
    .toString('latin1')
    .replace(/^\u00ef\u00bb\u00bf/, '')
    .trimStart()
  if (/^<(?:!doctype html|html|head|body)\b/i.test(text)) {
    return { what: 'an HTML page', hint: 'save what the API answers, not what a browser shows' }
  }
  if (text.startsWith('<')) return { what: 'XML', hint: reads }
  const line = /^[^\r\n]*/.exec(text)![0]
  // what begins with neither is no list; names and a delimiter are a header
  if (/^["\w]/.test(line) && /[,;\t|]/.test(line) && !/^(?:null|true|false)\b/.test(line)) {
    return { what: 'CSV', hint: `${reads}; export again to make one of them` }
  }
  return null
}

function isOpening(byte: number | undefined): boolean {
  return byte === 0x7b || byte === 0x5b
}

function beginsWith(bytes: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, index) => bytes[index] === byte)
}
