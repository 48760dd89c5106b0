// What an output can be: one row for each format, and one for each compression of a whole file. What other rooms have
// to know of a format stands here, and what they do for each of them (open an encoder, count records) they map over
// these rows.

import { KiB } from '../bytes/units.js'

/** Groups of options, by what of an output they shape beside the request: the records themselves, the bytes of text
 *  that the server sent, the columns, and what one format has alone. */
export type FormatShape = 'records' | 'text' | 'columns' | 'csv' | 'parquet'

export interface FormatFacts {
  /** How people call it. */
  readonly title: string
  /** How messages call one output of it. */
  readonly one: string
  /** Ends of file names without the dot, the usual one first. */
  readonly extensions: readonly [string, ...string[]]
  /** Without parameters. */
  readonly mediaType: string
  /** Whether a terminal can show it. */
  readonly isText: boolean
  /** What nested values are, where records become columns: values, or text unless they are asked for as columns of
   *  their own. Null where a record stays what the server sent, with its key around it. */
  readonly columns: 'values' | 'text' | null
  /** Where an output can be ended and continued: after any record, or after a row group, in which the encoder holds
   *  records back. */
  readonly cuts: 'records' | 'row groups'
  /** Whether it is one document for all records, in which a key stands once. */
  readonly isDocument: boolean
  /** Whether it compresses inside, so that compressed as a whole it could not be read in parts. */
  readonly compressesInside: boolean
  /** Whether an output tells by itself which export it is of. */
  readonly hasOrigin: boolean
  /** What its bytes depend on, in the order in which a manifest tells of it. */
  readonly shapedBy: readonly FormatShape[]
  /** How many records of the largest size may be in memory at once: in the window, in the window that it outgrew, in an
   *  excluding transform and in an encoder. The encoder of Parquet has it in its own window, in a column, in a page, in
   *  what the codec is given and makes, and memory is given out in powers of two. */
  readonly heldRecords: number
  /** The largest record is this part of memory, unless it is given. */
  readonly recordShare: number
  /** What a column takes before it holds anything. */
  readonly columnBytes: number
}

const text = {
  isText: true,
  columns: null,
  cuts: 'records',
  isDocument: false,
  compressesInside: false,
  hasOrigin: false,
  heldRecords: 4,
  recordShare: 8,
  columnBytes: 0,
} as const

export const formats = {
  ndjson: {
    ...text,
    title: 'NDJSON',
    one: 'NDJSON',
    extensions: ['ndjson', 'jsonl'],
    mediaType: 'application/x-ndjson',
    shapedBy: ['records', 'text'],
  },
  json: {
    ...text,
    title: 'JSON',
    one: 'JSON',
    extensions: ['json'],
    mediaType: 'application/json',
    isDocument: true,
    shapedBy: ['records', 'text'],
  },
  csv: {
    ...text,
    title: 'CSV',
    one: 'CSV',
    extensions: ['csv'],
    mediaType: 'text/csv',
    columns: 'text',
    shapedBy: ['csv', 'columns', 'records'],
  },
  parquet: {
    title: 'Parquet',
    one: 'a Parquet file',
    extensions: ['parquet'],
    mediaType: 'application/vnd.apache.parquet',
    isText: false,
    columns: 'values',
    cuts: 'row groups',
    isDocument: false,
    compressesInside: true,
    hasOrigin: true,
    shapedBy: ['parquet', 'columns', 'records'],
    heldRecords: 10,
    recordShare: 12,
    columnBytes: 26 * KiB,
  },
} as const satisfies { readonly [name: string]: FormatFacts }

export type Format = keyof typeof formats
export const formatNames = Object.keys(formats) as readonly Format[]

/** The row of a format. */
export function factsOf(format: Format): FormatFacts {
  return formats[format]
}

/** Whether options of this group shape outputs of a format. */
export function isShapedBy(format: Format, shape: FormatShape): boolean {
  return factsOf(format).shapedBy.includes(shape)
}

/** What a whole output is compressed with, and what its name then ends with. */
export const codecs = { none: '', gzip: '.gz', zstd: '.zst' } as const
export type Codec = keyof typeof codecs
export const codecNames = Object.keys(codecs) as readonly Codec[]

/** Usual end of the names of files, with the dots. */
export function extensionOf(format: Format, codec: Codec): string {
  return `.${formats[format].extensions[0]}${codecs[codec]}`
}

/** What a path says by its extensions: `members.csv.gz` → CSV under gzip. */
export function extensionsOf(path: string): { format: Format | undefined; compress: Codec } {
  const lower = path.toLowerCase()
  const compress = codecNames.find((name) => name !== 'none' && lower.endsWith(codecs[name])) ?? 'none'
  const extension = /\.([a-z]+)$/.exec(lower.slice(0, lower.length - codecs[compress].length))?.[1] ?? ''
  const format = formatNames.find((name) => factsOf(name).extensions.includes(extension))
  return { format, compress }
}
