// Faults as texts, for a command line: `page=3,status=503`. What a fault is stands in `faults.ts`; this only reads it.

import { parseBytes, parseDuration } from '../bytes/units.js'
import { ConfigError, printable } from '../errors.js'
import type { BytePosition, Fault, FaultAction, FaultKind } from './faults.js'

/** Members of one text by their names; a word without `=` has an empty value. */
type Members = Map<string, string>

interface Reader {
  /** Names beside the kind's own and the target's. */
  readonly names: readonly string[]
  read(members: Members): FaultAction
}

/** By the name that says what a fault does. */
const readers: Partial<Record<FaultKind, Reader>> = {
  status: {
    names: ['retry-after', 'message', 'remote'],
    read: (members) => ({
      kind: 'status',
      status: whole(members, 'status', 100, 599),
      retryAfter: members.get('retry-after'),
      message: members.get('message'),
      isRemote: members.has('remote') ? true : undefined,
    }),
  },
  cut: {
    names: ['how'],
    read: (members) => {
      const at = members.get('cut')!
      const place = at === 'head' || at === 'in-head' ? at : position(members, 'cut')
      return { kind: 'cut', at: place, how: oneOf(members, 'how', ['fin', 'rst']), transfer: undefined }
    },
  },
  stall: {
    names: ['for'],
    read: (members) => {
      const at = members.get('stall')!
      return {
        kind: 'stall',
        at: at === '' || at === 'head' ? 'head' : position(members, 'stall'),
        ms: time(members, 'for'),
      }
    },
  },
  drip: {
    names: ['every'],
    read: (members) => ({ kind: 'drip', bytes: bytes(members, 'drip'), everyMs: time(members, 'every') ?? 100 }),
  },
  redirect: { names: [], read: (members) => ({ kind: 'redirect', to: members.get('redirect')! }) },
  reauth: { names: [], read: () => ({ kind: 'reauth' }) },
  shift: { names: [], read: (members) => ({ kind: 'shift', by: whole(members, 'shift', 1) }) },
  cursor: {
    names: [],
    read: (members) => ({
      kind: 'cursor',
      value: members.get('cursor') === 'none' ? undefined : members.get('cursor'),
    }),
  },
  'error-in-body': {
    names: ['record', 'code'],
    read: (members) => ({
      kind: 'error-in-body',
      where: oneOf(members, 'error-in-body', ['alone', 'before', 'after', 'in-array']) ?? 'alone',
      record: members.has('record') ? whole(members, 'record', 0) : undefined,
      status: members.has('code') ? whole(members, 'code', 100, 599) : undefined,
    }),
  },
  garbage: { names: [], read: (members) => ({ kind: 'garbage', bytes: members.get('garbage') || '<html>' }) },
  gzip: {
    names: [],
    read: (members) => ({
      kind: 'gzip',
      damage:
        oneOf(members, 'gzip', [
          'cut',
          'crc',
          'length',
          'garbage-after',
          'not-gzip',
          'double',
          'header',
          'two-members',
        ]) ?? 'cut',
    }),
  },
  'early-close': {
    names: [],
    read: (members) => ({ kind: 'early-close', status: whole(members, 'early-close', 100, 599) }),
  },
  'content-length': {
    names: [],
    read: (members) => ({ kind: 'content-length', by: whole(members, 'content-length', -1e9) }),
  },
  bomb: {
    names: ['bytes'],
    read: (members) => ({
      kind: 'bomb',
      of: oneOf(members, 'bomb', ['whitespace', 'string', 'brackets', 'keys', 'records']) ?? 'records',
      bytes: members.has('bytes') ? bytes(members, 'bytes') : undefined,
    }),
  },
}

const targets = ['page', 'attempt', 'path']

/** What faults may be, for the help of who writes one. */
export const faultKinds: readonly string[] = Object.keys(readers)

/**
 * A fault by its text: what it does (`status=503`, `cut=1000`, `stall`), which page and which attempt at it (`page=3`,
 * `attempt=every`), and what it does it with, separated by commas. A comma inside of a value is written `\,`.
 * @throws ConfigError ERR_OPTION_INVALID naming what is wrong and what there is
 */
export function parseFault(text: string): Fault {
  const members: Members = new Map()
  for (const part of text.match(/(?:\\.|[^,\\]|\\$)+/gs) ?? []) {
    const [, name = '', value = ''] = /^([^=]*)=?(.*)$/s.exec(part.trim())!
    if (members.has(name)) fail(text, `${name} is there twice`)
    members.set(name, value.replaceAll('\\,', ','))
  }
  const kinds = [...members.keys()].filter((name) => Object.hasOwn(readers, name))
  if (kinds.length !== 1) fail(text, kinds.length === 0 ? 'it does nothing' : `it is ${kinds.join(' and ')} at once`)
  const kind = kinds[0] as FaultKind
  const { names, read } = readers[kind]!
  const stranger = [...members.keys()].find((name) => ![kind, ...names, ...targets].includes(name))
  if (stranger !== undefined) fail(text, `${kind} has no ${stranger}`, [...names, ...targets])
  try {
    const attempt = members.get('attempt')
    return {
      ...read(members),
      page: members.has('page') ? whole(members, 'page', 1) : undefined,
      attempt: attempt === 'every' ? 'every' : attempt === undefined ? undefined : whole(members, 'attempt', 1),
      path: members.get('path'),
    }
  } catch (error) {
    if (error instanceof RangeError) fail(text, error.message)
    throw error
  }
}

function fail(text: string, why: string, names: readonly string[] = faultKinds): never {
  throw new ConfigError('ERR_OPTION_INVALID', `the fault ${printable(JSON.stringify(text))}: ${why}`, {
    hint: `there is ${names.join(', ')}; such as page=3,status=503 or page=2,cut=1000`,
  })
}

function whole(members: Members, name: string, least: number, most = Number.MAX_SAFE_INTEGER): number {
  const text = members.get(name)!
  const value = /^-?\d{1,15}$/.test(text) ? Number(text) : Number.NaN
  if (!(value >= least && value <= most))
    throw new RangeError(`${name} is a whole number from ${least}, not ${JSON.stringify(text)}`)
  return value
}

function bytes(members: Members, name: string): number {
  const value = parseBytes(members.get(name)!)
  if (value === null || value === undefined) throw new RangeError(`${name} is a size, such as 64KiB`)
  return value
}

function time(members: Members, name: string): number | undefined {
  if (!members.has(name)) return undefined
  const value = parseDuration(members.get(name)!)
  if (value === null || value === undefined) throw new RangeError(`${name} is a time, such as 500ms`)
  return value
}

/** `1000`, `record:5` or `end`. */
function position(members: Members, name: string): BytePosition {
  const text = members.get(name)!
  const record = /^record:(\d{1,15})$/.exec(text)
  if (text === 'end') return 'end'
  if (record) return { record: Number(record[1]) }
  const value = parseBytes(text)
  if (value === null || value === undefined)
    throw new RangeError(`${name} is a byte, record:N or end, not ${JSON.stringify(text)}`)
  return value
}

function oneOf<T extends string>(members: Members, name: string, allowed: readonly T[]): T | undefined {
  const text = members.get(name)
  if (text === undefined || text === '') return undefined
  if (!allowed.includes(text as T))
    throw new RangeError(`${name} is one of ${allowed.join(', ')}, not ${JSON.stringify(text)}`)
  return text as T
}
