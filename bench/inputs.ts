// The records that the benchmarks work on, deterministic: members as Truto sends them, and the shapes that are hard for
// a slicer each in its own way.

import { closeSync, openSync, writeSync } from 'node:fs'
import { memberAt } from '../src/emulator/members.js'
import type { JsonRecord } from '../src/record.js'

/** Different members in a page; after them they repeat. */
const pool = 20_000
const seed = 7

/** A Slack member with every field filled that the reference page declares for any provider, about 0.9 KB. */
export function fullMember(index: number): JsonRecord {
  const member = memberAt(index, { seed, pool, remoteData: false })
  const workspace = { id: 'T0C478D82', name: 'Example Industries' }
  return {
    ...member,
    activated_at: '2021-03-04T08:30:00.000Z',
    created_at: '2021-03-01T17:12:45.000Z',
    groups: [{ id: 'S0614TZR7', name: 'on-call', organization: null, type: 'usergroup', workspace }],
    languages: ['en-GB', 'de-DE'],
    last_active_at: '2024-12-20T09:41:07.000Z',
    organizations: [{ id: 'E0312ABCD', name: 'Example' }],
    workspaces: [workspace],
  }
}

/** A Slack member as it comes, with the profile that Slack sent as `remote_data`, about 2 KB. */
export function memberWithRemoteData(index: number): JsonRecord {
  const member = memberAt(index, { seed, pool })
  return { ...member, remote_data: (member['remote_data'] as { profile: JsonRecord }).profile }
}

export interface Shape {
  name: string
  /** What it asks of a slicer. */
  doc: string
  /** Whether the page is printed over several lines. */
  isPretty?: boolean
  /** Record `index`: an object, or its JSON text where that is not what JSON.stringify would print. */
  record(index: number): JsonRecord | string
}

/** Names of the shapes are those of the kept results. */
export const shapes: readonly Shape[] = [
  { name: 'members', doc: 'every declared field filled', record: fullMember },
  { name: 'members-remote-data', doc: "Slack's fields and remote_data", record: memberWithRemoteData },
  {
    name: 'numbers',
    doc: 'numbers only, of every form',
    record: (i) =>
      `{"a":${i},"b":${-i / 7},"c":${i}.5e-${i % 90},"d":[${i % 10},${i * 31},0.${i},-1.25E+3,12345678901234567890],"e":${1e9 + i}}`,
  },
  { name: 'tiny', doc: 'records of 12 bytes', record: (i) => `{"id":${10_000 + (i % 90_000)}}` },
  {
    name: 'deep',
    doc: 'objects and arrays, 40 levels',
    record: (i) => `${'{"a":['.repeat(20)}${i}${']}'.repeat(20)}`,
  },
  {
    name: 'long-strings',
    doc: 'one string of 20 KB in each',
    record: (i) => ({ id: `L${i}`, text: prose(i, 20_000) }),
  },
  {
    name: 'cjk',
    doc: 'Chinese, Japanese and Korean text',
    record: (i) => ({ id: `C${i}`, name: cjk(i, 24), bio: cjk(i + 1, 300) }),
  },
  {
    name: 'unicode-escapes',
    doc: 'text as \\uXXXX, as printers for ASCII write it',
    record: (i) => escapeAll(JSON.stringify({ id: `E${i}`, name: cjk(i, 24), bio: cjk(i + 1, 100) })),
  },
  {
    name: 'quotes',
    doc: 'JSON within strings: a \\" every few bytes',
    record: (i) => ({ id: `Q${i}`, payload: JSON.stringify(fullMember(i)) }),
  },
  { name: 'pretty', doc: 'members, printed with an indent of 2', isPretty: true, record: fullMember },
]

export interface Page {
  bytes: Buffer
  /** The text of each record as it stands in the page. */
  texts: Buffer[]
  /** What an NDJSON file of the page holds: the records' own bytes, line feeds in them as spaces. */
  lines: Buffer
}

/** One page of at least `bytes` bytes of records, in the envelope. */
export function pageOf(shape: Shape, bytes: number): Page {
  const texts: string[] = []
  for (let size = 0; size < bytes; size += texts.at(-1)!.length) texts.push(textOf(shape, texts.length))
  const page = shape.isPretty
    ? `{\n  "result": [\n    ${texts.join(',\n    ')}\n  ],\n  "next_cursor": null\n}\n`
    : `{"result":[${texts.join(',')}],"next_cursor":null}`
  return {
    bytes: Buffer.from(page),
    texts: texts.map((text) => Buffer.from(text)),
    lines: Buffer.from(texts.map((text) => `${text.replaceAll('\n', ' ')}\n`).join('')),
  }
}

/** Writes a page of at least `bytes` bytes of full members to a file; memory does not grow with it. Returns bytes and
 *  records. */
export function writePage(path: string, bytes: number): { bytes: number; records: number } {
  const texts = Array.from({ length: Math.min(pool, Math.ceil(bytes / 700)) }, (_, i) => JSON.stringify(fullMember(i)))
  const file = openSync(path, 'w')
  try {
    let written = writeSync(file, '{"result":[')
    let records = 0
    for (let piece = ''; written < bytes; piece = '') {
      for (; piece.length < 1 << 20 && written + piece.length < bytes; records++) {
        piece += `${records === 0 ? '' : ','}${texts[records % texts.length]!}`
      }
      written += writeSync(file, piece)
    }
    written += writeSync(file, '],"next_cursor":null}')
    return { bytes: written, records }
  } finally {
    closeSync(file)
  }
}

function textOf({ record, isPretty }: Shape, index: number): string {
  const made = record(index)
  if (typeof made === 'string') return made
  return isPretty ? JSON.stringify(made, null, 2).replaceAll('\n', '\n    ') : JSON.stringify(made)
}

const words = 'the export reads a page of members while its bytes arrive and writes every record once in order'.split(
  ' ',
)

function prose(index: number, length: number): string {
  let text = ''
  for (let i = index; text.length < length; i++) text += `${words[(i * 7) % words.length]!} `
  return text
}

/** Ideographs, kana and hangul syllables, each three bytes in UTF-8. */
function cjk(index: number, length: number): string {
  const starts = [0x4e00, 0x3041, 0xac00]
  let text = ''
  for (let i = 0; i < length; i++)
    text += String.fromCharCode(starts[(index + (i >> 3)) % 3]! + ((index * 31 + i * 17) % 80))
  return text
}

function escapeAll(json: string): string {
  return json.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
