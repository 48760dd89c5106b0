// Pages and cursors: where a page begins, how many records it has, and the cursor that leads to the next one. A cursor
// holds its position, so any page can be asked for at any time and nothing is kept.

import { ConfigError } from '../errors.js'
import { Dice } from './random.js'

/** How a cursor looks. Truto's upstream styles are page, cursor, link header, offset, range and dynamic, so all of
 *  these are possible. `base64url`: `eyJwIjoyfQ`; `base64`: with `+`, `/` and `=`; `url`: a whole Graph link with `?`,
 *  `&`, `=`, `$` and `#`; `odd`: with every character that a query string must escape, a space and non-ASCII; `long`: 6
 *  KB; `number`: a JSON number, the page's. */
export const cursorStyles = ['base64url', 'base64', 'url', 'odd', 'long', 'number'] as const
/** One of `cursorStyles`. */
export type CursorStyle = (typeof cursorStyles)[number]

/** Oddities of paging; each default is the plain case. */
export interface PagingOptions {
  /** Default `base64url`. */
  cursor?: CursorStyle | undefined
  /** What the last page has as its cursor. Default `null`. */
  end?: 'null' | 'absent' | 'empty' | undefined
  /** Numbers of pages, from 1, that have no record but a cursor. */
  emptyPages?: readonly number[] | undefined
  /** Pages have 1 to `limit` records, by seed. */
  shortPages?: boolean | undefined
  /** The last record is followed by one more page, which is empty. */
  trailingEmptyPage?: boolean | undefined
  /** Page `from` has the cursor of page `to`, which is `from` or before it: the list has no end. */
  loop?: { readonly from: number; readonly to: number } | undefined
  /** Each page but the first begins with this many records of the page before. Default 0. */
  overlap?: number | undefined
  /** A cursor is refused after this time; not with `number`, which has no room for a time. */
  cursorTtlMs?: number | undefined
}

/** Where a page begins: its number from 1, and the offset in the list of its first record that is not an overlap. */
export interface PagePosition {
  readonly page: number
  readonly offset: number
}

/** A page of a list: what it holds and what follows. */
export interface PlannedPage extends PagePosition {
  /** Offset of the first record served. */
  readonly start: number
  /** Number of records served. */
  readonly count: number
  /** Undefined after the last page. */
  readonly next: PagePosition | undefined
}

/** Where a request without a cursor begins. */
export const firstPage: PagePosition = { page: 1, offset: 0 }

/** @param total records in the whole list
 *  @param limit largest number of records in a page, without overlap */
export function planPage(
  position: PagePosition,
  total: number,
  limit: number,
  options: PagingOptions,
  seed: number,
): PlannedPage {
  const { page, offset } = position
  const size = Math.max(0, Math.min(pageSize(page, limit, options, seed), total - offset))
  const overlap = page > 1 && size > 0 ? Math.min(options.overlap ?? 0, offset) : 0
  const end = offset + size
  const isLast = options.trailingEmptyPage ? offset >= total : end >= total
  let next: PagePosition | undefined = isLast ? undefined : { page: page + 1, offset: end }
  if (options.loop?.from === page) next = positionOf(options.loop.to, total, limit, options, seed)
  return { page, offset, start: offset - overlap, count: size + overlap, next }
}

/** Where page `page` begins: at once where pages are of one size, else by walking to it. A page past the end begins at
 *  the end. */
export function positionOf(
  page: number,
  total: number,
  limit: number,
  options: PagingOptions,
  seed: number,
): PagePosition {
  if (!options.shortPages) {
    const empty = new Set(options.emptyPages?.filter((number) => number < page)).size
    // 0 * Infinity is no number: the first page begins at 0 whatever the limit.
    const before = page - 1 - empty
    return { page, offset: before === 0 ? 0 : Math.min(total, before * limit) }
  }
  let offset = 0
  for (let number = 1; number < page && offset < total; number++) offset += pageSize(number, limit, options, seed)
  return { page, offset: Math.min(total, offset) }
}

function pageSize(page: number, limit: number, options: PagingOptions, seed: number): number {
  if (options.emptyPages?.includes(page)) return 0
  return options.shortPages ? 1 + new Dice(seed, page, 20).below(limit) : limit
}

/** The cursor of `position`. Two calls with equal arguments give equal cursors.
 *  @param issuedMs when it was made, for cursors that expire */
export function encodeCursor(position: PagePosition, style: CursorStyle, issuedMs?: number): string | number {
  const { page, offset } = position
  const time = issuedMs === undefined ? '' : `:${Math.floor(issuedMs)}`
  switch (style) {
    case 'number':
      return page
    case 'base64':
      return base64(`${page}:${offset}${time}`)
    case 'url':
      return `https://graph.microsoft.com/v1.0/teams/19%3Aab/members?$count=true&$skiptoken=${page}:${offset}${time}#/=+&`
    case 'odd':
      return `${page}:${offset}${time} a+b/c=d&e#f%20%25?"é☃💾`
    case 'long':
      return Buffer.from(JSON.stringify({ c: `${page}:${offset}${time}`, pad: 'x'.repeat(4500) })).toString('base64url')
    case 'base64url':
      return Buffer.from(JSON.stringify({ c: `${page}:${offset}${time}` })).toString('base64url')
  }
}

/** What a cursor means, or undefined where it is none of ours: only text that `encodeCursor` gives, byte for byte, is
 *  accepted.
 *  @param locate finds a page by its number, for the style that knows nothing else */
export function decodeCursor(
  text: string,
  style: CursorStyle,
  locate: (page: number) => PagePosition,
): (PagePosition & { issuedMs: number | undefined }) | undefined {
  if (style === 'number') {
    const page = Number(text)
    return /^[1-9]\d{0,14}$/.test(text) ? { ...locate(page), issuedMs: undefined } : undefined
  }
  const match = /^(\d{1,15}):(\d{1,15})(?::(\d{1,15}))?$/.exec(innerText(text, style))
  if (!match) return undefined
  const position = { page: Number(match[1]), offset: Number(match[2]) }
  const issuedMs = match[3] === undefined ? undefined : Number(match[3])
  return encodeCursor(position, style, issuedMs) === text ? { ...position, issuedMs } : undefined
}

function innerText(text: string, style: Exclude<CursorStyle, 'number'>): string {
  switch (style) {
    case 'base64':
      return Buffer.from(text, 'base64').subarray(3).toString('latin1').trimEnd()
    case 'url':
      return /skiptoken=([\d:]*)/.exec(text)?.[1] ?? ''
    case 'odd':
      return text.split(' ')[0]!
    case 'long':
    case 'base64url':
      return /"c":"([\d:]*)"/.exec(Buffer.from(text, 'base64url').toString('latin1'))?.[1] ?? ''
  }
}

/** Standard base64 that always holds `+`, `/` and `=`. */
function base64(text: string): string {
  const padded = text.length % 3 === 0 ? `${text} ` : text
  return Buffer.concat([Buffer.from([0xfb, 0xef, 0xff]), Buffer.from(padded, 'latin1')]).toString('base64')
}

/** @throws ConfigError ERR_OPTION_INVALID */
export function checkPaging(options: PagingOptions): void {
  const { loop, overlap, emptyPages } = options
  const fail = (message: string): never => {
    throw new ConfigError('ERR_OPTION_INVALID', `starting the emulator: ${message}`)
  }
  if (loop && !(loop.to >= 1 && loop.to <= loop.from)) fail('paging.loop needs 1 <= to <= from')
  if (overlap !== undefined && !(Number.isInteger(overlap) && overlap >= 0))
    fail('paging.overlap is a whole number from 0')
  if (emptyPages?.some((page) => !Number.isInteger(page) || page < 1)) fail('paging.emptyPages are page numbers from 1')
}
