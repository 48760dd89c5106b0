// How a page is laid out around its records: Truto's envelope, the provider's own body, or nothing at all. A page stays
// in three parts (head, records, tail), so that a fault can be put between them.

import type { JsonRecord, JsonValue } from '../record.js'
import { type Body, bufferBody, joinBodies } from './bodies.js'
import type { RecordRun } from './runs.js'

/** A page's body in its parts. */
export interface Page {
  readonly head: string
  readonly run: RecordRun
  readonly tail: string
  /** Without an override of the options. */
  readonly contentType: string
}

/** Envelope members beside the records: `undefined` leaves one out. */
export interface EnvelopeFacts {
  readonly next_cursor: JsonValue | undefined
  readonly prev_cursor: JsonValue | undefined
  readonly result_count: number | undefined
  readonly is_partial_response: boolean | undefined
  readonly debug: JsonValue | undefined
}

/** How an envelope is written. */
export interface EnvelopeStyle {
  readonly resultKey: string
  /** Names of members in the order wanted. */
  readonly order: readonly string[]
  readonly isPretty: boolean
  readonly hasEscapedKeys: boolean
  /** Records are members of an object, by key. */
  readonly isKeyed: boolean
}

const json = 'application/json; charset=utf-8'
const usualOrder = ['result', 'next_cursor', 'prev_cursor', 'result_count', 'is_partial_response', 'debug']

/** Truto's unified envelope (H2 and `unified`). */
export function envelopePage(run: RecordRun, facts: EnvelopeFacts, style: EnvelopeStyle): Page {
  const order = [
    ...new Set([...style.order.map((name) => (name === style.resultKey ? 'result' : name)), ...usualOrder]),
  ]
  const values: Record<string, JsonValue | undefined> = { ...facts }
  const colon = style.isPretty ? ': ' : ':'
  const key = (name: string): string => (style.hasEscapedKeys ? escapedKey(name) : JSON.stringify(name)) + colon
  const before: string[] = []
  const after: string[] = []
  let isAfter = false
  for (const name of order) {
    const value = values[name]
    if (name === 'result') isAfter = true
    else if (value !== undefined) (isAfter ? after : before).push(key(name) + JSON.stringify(value))
  }
  const [open, close] = style.isKeyed ? ['{', '}'] : ['[', ']']
  const line = style.isPretty ? '\n' : ''
  return {
    head: `{${line}${before.map((member) => `${member},${line}`).join('')}${key(style.resultKey)}${open}${line}`,
    run,
    tail: `${line}${close}${after.map((member) => `,${line}${member}`).join('')}${line}}`,
    contentType: json,
  }
}

/** Slack's own body (H1): `users.list`, or `conversations.members` where the records are bare ids. At the end its
 *  cursor is an empty string.
 *  @param nextCursor undefined leaves `response_metadata` out */
export function slackPage(run: RecordRun, nextCursor: JsonValue | undefined): Page {
  const metadata = nextCursor === undefined ? '' : `,"response_metadata":${JSON.stringify({ next_cursor: nextCursor })}`
  return { head: '{"ok":true,"members":[', run, tail: `],"cache_ts":1700000000${metadata}}`, contentType: json }
}

/** Graph's own body (H1): the link to the next page stands before the records and is absent on the last page. */
export function graphPage(run: RecordRun, nextLink: JsonValue | undefined): Page {
  const facts: JsonRecord = {
    '@odata.context': "https://graph.microsoft.com/v1.0/$metadata#teams('02bd9fd6')/members",
    '@odata.count': run.count,
    ...(nextLink !== undefined && { '@odata.nextLink': nextLink }),
  }
  return {
    head: `${JSON.stringify(facts).slice(0, -1)},"value":[`,
    run,
    tail: ']}',
    contentType: 'application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8',
  }
}

/** A bare array (H3). */
export function arrayPage(run: RecordRun): Page {
  return { head: '[', run, tail: ']', contentType: json }
}

/** One record per line (H3). The run ends its last line itself. */
export function ndjsonPage(run: RecordRun): Page {
  return { head: '', run, tail: '', contentType: 'application/x-ndjson' }
}

/** The page's bytes. */
export function pageBody(page: Page): Body {
  const run: Body = { byteLength: page.run.byteLength, chunks: () => page.run.chunks() }
  return joinBodies([bufferBody(page.head), run, bufferBody(page.tail)])
}

/** `"next_\u0063ursor"`: the first letter after an underscore, or else the first, as an escape. */
function escapedKey(name: string): string {
  const at = name.indexOf('_') + 1
  const code = name.charCodeAt(at).toString(16).padStart(4, '0')
  return `"${name.slice(0, at)}\\u${code}${name.slice(at + 1)}"`
}
