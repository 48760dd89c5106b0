// Flags, environment and code → validated, frozen options. Nothing is read or opened here: a bad option fails before
// any I/O.

import { formatBytesExact, formatDuration, MiB, parseBytes, parseDuration } from '../bytes/units.js'
import { isCsvCharacter, isEscapeTaken, nullFaultOf } from '../encode/csv/character.js'
import { extensionsOf, type FormatFacts, factsOf } from '../encode/formats.js'
import { ConfigError, printable } from '../errors.js'
import { isToken, withoutLineEnds } from '../http/token.js'
import { defaultMaxColumns } from '../schema/column-budget.js'
import { nearestName } from '../schema/names.js'
import { isResourceName } from '../schema/resource-name.js'
import type { GivenOptions } from './given-options.js'
import {
  type Budget,
  type CliOptions,
  type CommandName,
  exportTable,
  type OptionEntry,
  type OptionTable,
  type ResolvedOptions,
  type Values,
} from './schema.js'

export interface ResolveContext {
  /** Where values come from that were not given. Default `process.env`. */
  env?: NodeJS.ProcessEnv
  /** Records are read from a file or from bytes: neither a resource nor a token is required. Default false. */
  hasInput?: boolean
}

/**
 * The options of an export given in code; what is not given comes from the environment. Messages name properties.
 * Resolving what was resolved changes nothing.
 * @throws ConfigError ERR_OPTION_UNKNOWN, ERR_OPTION_INVALID, ERR_OPTION_MISSING, ERR_TOKEN_MISSING or
 * ERR_TOKEN_INVALID
 */
export function resolveOptions(given: GivenOptions, context: ResolveContext = {}): ResolvedOptions {
  const { env = process.env, hasInput = false } = context
  const names = Object.keys(exportTable).filter((name) => !isCliOnly(name))
  for (const name of Object.keys(given)) {
    if (!names.includes(name)) throw unknown(name, names)
  }
  const label = (name: string): string => name
  const values = valuesOf(exportTable, given, label, checkValue, env)
  const own = Object.fromEntries(names.map((name) => [name, values[name]]))
  if (!hasInput) checkResource(own, label)
  const resolved = completed(own, label)
  if (!hasInput && resolved.token === null) throw new ConfigError('ERR_TOKEN_MISSING', 'there is no API token')
  return resolved
}

/** What the command line gave: the text of each flag by its option's name, an array of texts where it is repeatable, a
 *  boolean where it has no value. An option may also come as the value itself, already read. */
export type FlagTexts = Readonly<Record<string, unknown>>

/**
 * The options of `export` and `convert` given by flags. Messages name flags. A missing token is not noticed: it may
 * still be read from a file.
 * @throws ConfigError like `resolveOptions`
 */
export function resolveExportFlags(
  command: 'export' | 'convert',
  texts: FlagTexts,
  env: NodeJS.ProcessEnv,
): { options: ResolvedOptions; cli: CliOptions } {
  const values = resolveFlags(exportTable, command, texts, env) as Record<string, unknown>
  const part = (ofCli: boolean): Record<string, unknown> =>
    Object.fromEntries(Object.entries(values).filter(([name]) => isCliOnly(name) === ofCli))
  const label = (name: string): string => labelOf(name, (exportTable as OptionTable)[name]!, command)
  const own = part(false)
  if (command === 'export') checkResource(own, label)
  return { options: completed(own, label), cli: Object.freeze(part(true)) as unknown as CliOptions }
}

function checkResource(values: Record<string, unknown>, label: (name: string) => string): void {
  if (values['resource'] !== null) return
  throw new ConfigError('ERR_OPTION_MISSING', `${label('resource')} is missing`, {
    hint: 'name the list to export, such as instant-messaging/members',
  })
}

/** The values of any table's options given by flags. @throws ConfigError ERR_OPTION_INVALID */
export function resolveFlags<T extends OptionTable>(
  table: T,
  command: CommandName,
  texts: FlagTexts,
  env: NodeJS.ProcessEnv,
): Values<T> {
  const label = (name: string): string => labelOf(name, table[name]!, command)
  const values = valuesOf(table, texts, label, (value, entry, name) => checkText(value, entry, name), env)
  return Object.freeze(values) as Values<T>
}

function isCliOnly(name: string): boolean {
  return (exportTable as OptionTable)[name]!.isCliOnly === true
}

/** How messages name an option of the command line. */
function labelOf(name: string, entry: OptionEntry, command: CommandName): string {
  if (entry.flag !== undefined && !entry.positional?.includes(command)) return entry.flag
  return entry.placeholder ?? name
}

type Check = (value: unknown, entry: OptionEntry, label: string) => unknown

/** Every option of the table: what was given, else the environment's, else the default. */
function valuesOf(
  table: OptionTable,
  given: Readonly<Record<string, unknown>>,
  label: (name: string) => string,
  check: Check,
  env: NodeJS.ProcessEnv,
): Record<string, unknown> {
  const values: Record<string, unknown> = {}
  for (const [name, entry] of Object.entries(table)) {
    const value = Object.hasOwn(given, name) ? given[name] : undefined
    // an empty variable is as good as none, as in most shells' idioms
    const fromEnv = entry.env === undefined ? '' : (env[entry.env] ?? '')
    if (value !== undefined && value !== null) values[name] = check(value, entry, label(name))
    else if (fromEnv !== '') values[name] = checkText(withoutLineEnd(fromEnv, entry), entry, entry.env!)
    else values[name] = entry.default
  }
  return values
}

/** A key without one line end at its end, as a file has one and `$(cat FILE)` has not. */
function withoutLineEnd(text: string, { kind }: OptionEntry): string {
  return kind === 'key' ? text.replace(/\r?\n$/, '') : text
}

/** A value of the command line or the environment. */
function checkText(value: unknown, entry: OptionEntry, label: string): unknown {
  if (entry.kind === 'list' && Array.isArray(value)) {
    return checkValue(entry.isWhole ? value : value.flatMap(splitList), entry, label)
  }
  if (typeof value !== 'string') return checkValue(value, entry, label)
  switch (entry.kind) {
    case 'integer':
      return checkValue(/^-?\d{1,15}$/.test(value) ? Number(value) : value, entry, label)
    case 'bytes':
      return checkValue(parseBytes(value) ?? value, entry, label)
    case 'duration':
      return checkValue(parseDuration(value) ?? value, entry, label)
    case 'list':
      return checkValue(splitList(value), entry, label)
    default:
      return checkValue(entry.isCharacter && value === '\\t' ? '\t' : value, entry, label)
  }
}

/** `a,b\,c` → `['a', 'b,c']`. Other backslashes stay for who reads the names. */
function splitList(text: string): string[] {
  const parts = text.match(/(?:\\.|[^,\\]|\\$)+/gs) ?? []
  return parts.map((part) => part.replaceAll('\\,', ',').trim()).filter((part) => part !== '')
}

/** `value` itself if it is what the entry accepts. @throws ConfigError ERR_OPTION_INVALID naming the option, the value
 *  and what is accepted */
function checkValue(value: unknown, entry: OptionEntry, label: string): unknown {
  if (entry.isVariadic && Array.isArray(value)) return value.map((part) => checkValue(part, entry, label))
  const isAccepted = accepts(value, entry)
  if (isAccepted) return Array.isArray(value) ? Object.freeze([...value]) : value
  const shown = entry.isSecret ? 'the given value' : shorten(value)
  throw new ConfigError('ERR_OPTION_INVALID', `${label} does not accept ${shown}`, {
    hint: pathHint(value, entry, label) ?? `it takes ${accepted(entry, label.startsWith('-'))}`,
  })
}

/** To curl, gcc and many others -o is a path. */
function pathHint(value: unknown, { flag }: OptionEntry, label: string): string | undefined {
  if (flag !== '--output' || typeof value !== 'string' || !/[./\\]/.test(value)) return undefined
  const out = label.startsWith('-') ? `--out ${shorten(value)}` : `out: ${shorten(value)}`
  return `${label.startsWith('-') ? '-o' : label} is the format, and the path is ${out}`
}

function accepts(value: unknown, entry: OptionEntry): boolean {
  switch (entry.kind) {
    case 'enum':
      return entry.values!.includes(value as string)
    case 'boolean':
      return typeof value === 'boolean'
    case 'integer':
    case 'bytes':
    case 'duration': {
      const { min = 0, max = Number.MAX_SAFE_INTEGER } = entry
      const isWhole = entry.kind === 'duration' ? Number.isFinite(value) : Number.isSafeInteger(value)
      return isWhole && (value as number) >= min && (value as number) <= max
    }
    case 'list':
      return Array.isArray(value) && value.every((element) => typeof element === 'string' && element !== '')
    case 'query':
      return isPlainObject(value)
    case 'reference':
    case 'schema':
      return isText(value) || isPlainObject(value)
    case 'key':
      return (typeof value === 'string' && value !== '') || value instanceof Uint8Array
    case 'string':
      if (entry.mayBeEmpty && value === '') return true
      if (!isText(value)) return false
      if (entry.isUrl) return isHttpUrl(value as string)
      return !entry.isCharacter || isCsvCharacter(value as string)
  }
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '' && !value.includes('\0')
}

function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)
}

function isPlainObject(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}

/** What an option takes, as a clause: `a size from 1KiB to 512MiB, such as 16MiB`. */
function accepted(entry: OptionEntry, isFlag: boolean): string {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = entry
  const format = { integer: String, bytes: formatBytesExact, duration: formatDuration }
  const range = (kind: keyof typeof format): string =>
    `from ${format[kind](min)}${max === Number.MAX_SAFE_INTEGER ? '' : ` to ${format[kind](max)}`}`
  switch (entry.kind) {
    case 'enum':
      return `one of ${entry.values!.join(', ')}`
    case 'boolean':
      return 'true or false'
    case 'integer':
      return `a whole number ${range('integer')}`
    case 'bytes':
      return isFlag ? `a size ${range('bytes')}, such as 16MiB` : `a whole number of bytes ${range('bytes')}`
    case 'duration':
      return isFlag ? `a time ${range('duration')}, such as 500ms, 30s or 10m` : `milliseconds ${range('duration')}`
    case 'list':
      return isFlag ? 'names separated by commas' : 'an array of names'
    case 'query':
      return isFlag ? 'key=value' : 'an object'
    case 'reference':
      return isFlag ? 'an id' : 'an id or an object'
    case 'schema':
      return isFlag ? 'the path of a file' : 'a JSON Schema document or its text'
    case 'key':
      return isFlag ? 'the path of a file' : 'text or bytes'
    case 'string':
      if (entry.isUrl) return 'an https URL'
      if (entry.mayBeEmpty) return 'text without NUL'
      return entry.isCharacter ? 'one character' : 'text that is not empty'
  }
}

function shorten(value: unknown): string {
  const text =
    typeof value === 'string'
      ? // what is meant as a URL may hold a password, even where it is none
        JSON.stringify(value.replace(/\/\/[^/@]*@/, '//'))
      : typeof value === 'object' || typeof value === 'function'
        ? `this ${Array.isArray(value) ? 'list' : typeof value}`
        : String(value)
  return printable(text.length > 60 ? `${text.slice(0, 57)}...` : text)
}

/** Fills in what depends on other options, and checks what must go together. */
function completed(values: Record<string, unknown>, label: (name: string) => string): ResolvedOptions {
  const given = values as unknown as Omit<
    ResolvedOptions,
    'format' | 'compress' | 'commitBytes' | 'keyByDuplicate' | 'query' | Budget
  > & {
    format: ResolvedOptions['format'] | null
    compress: ResolvedOptions['compress'] | 'auto'
    commitBytes: number | null
    keyByDuplicate: ResolvedOptions['keyByDuplicate'] | null
    query: ResolvedOptions['query'] | null
  } & { [N in Budget]: number | null }
  const names = extensionsOf(given.out)
  const format = given.format ?? names.format ?? 'ndjson'
  const facts = factsOf(format)
  const compress = given.compress === 'auto' ? names.compress : given.compress
  const conflict = (message: string, hint: string): ConfigError =>
    new ConfigError('ERR_OPTION_INVALID', message, { hint })

  if (given.resource !== null && !isResourceName(given.resource)) {
    throw conflict(
      `${shorten(given.resource)} is no resource`,
      'write model/resource, such as instant-messaging/members; a command goes before all else',
    )
  }
  if (facts.compressesInside && compress !== 'none') {
    throw conflict(
      `${facts.one} compressed as a whole with ${compress} cannot be read in parts`,
      `use ${label('parquetCompression')}, which compresses inside`,
    )
  }
  if (given.parquetWriter === 'parquetjs-lite' && given.parquetCompression === 'zstd') {
    throw conflict('parquetjs-lite has no zstd', `choose another ${label('parquetCompression')}`)
  }
  if ((given.partRows !== null || given.partBytes !== null) && isStdout(given.out)) {
    const flag = label(given.partRows === null ? 'partBytes' : 'partRows')
    throw conflict(`${flag} makes a directory of files, and stdout is none`, `name the directory with ${label('out')}`)
  }
  if (given.csvDelimiter === given.csvQuote) {
    throw conflict(`${label('csvDelimiter')} and ${label('csvQuote')} are the same`, 'choose two different characters')
  }
  const dialect = { delimiter: given.csvDelimiter, quote: given.csvQuote, escape: given.csvEscape }
  if (isEscapeTaken(dialect)) {
    const taken = label(given.csvDelimiter === '\\' ? 'csvDelimiter' : 'csvQuote')
    throw conflict(`${taken} and ${label('csvEscape')} are both a backslash`, 'choose another character')
  }
  const nullFault = nullFaultOf(given.csvNull, dialect)
  if (nullFault !== undefined) {
    throw conflict(`${label('csvNull')} ${shorten(given.csvNull)} ${nullFault}`, 'choose another text, such as NULL')
  }
  if (given.backoffMaxMs < given.backoffBaseMs) {
    throw conflict(
      `${label('backoffMaxMs')} ${formatDuration(given.backoffMaxMs)} is less than ${label('backoffBaseMs')} ${formatDuration(given.backoffBaseMs)}`,
      'raise the one or lower the other',
    )
  }
  if (given.resume && (given.restart || !given.checkpoint)) {
    const other = given.restart ? label('restart') : `no ${label('checkpoint')}`
    throw conflict(`${label('resume')} and ${other} cannot both be`, 'leave out one of them')
  }
  const budgets = budgetsOf(given, facts)
  if (facts.heldRecords * budgets.maxRecordBytes > given.maxMemoryBytes) {
    throw conflict(
      `${facts.heldRecords} records of ${label('maxRecordBytes')} ${formatBytesExact(budgets.maxRecordBytes)} do not fit into ${label('maxMemoryBytes')} ${formatBytesExact(given.maxMemoryBytes)}`,
      'raise the one or lower the other',
    )
  }
  if (budgets.maxColumns * facts.columnBytes > given.maxMemoryBytes) {
    throw conflict(
      `${budgets.maxColumns} columns of ${facts.title} (${label('maxColumns')}), ${formatBytesExact(facts.columnBytes)} each, do not fit into ${label('maxMemoryBytes')} ${formatBytesExact(given.maxMemoryBytes)}`,
      'raise the one or lower the other',
    )
  }
  const token = given.token === null ? null : withoutLineEnds(given.token)
  if (token !== null && !isToken(token)) {
    throw new ConfigError('ERR_TOKEN_INVALID', 'the token has characters that a token cannot have')
  }
  const keyByDuplicate = given.keyByDuplicate ?? (facts.isDocument ? 'error' : 'keep')
  const commitBytes = given.commitBytes ?? (compress === 'zstd' ? 256 * MiB : 64 * MiB)
  const { query } = given
  return Object.freeze({
    ...given,
    ...budgets,
    token,
    format,
    compress,
    commitBytes,
    keyByDuplicate,
    query: query ?? {},
  })
}

/** The budgets that were given, and shares of the memory bound for those that were not. */
function budgetsOf(
  given: { maxMemoryBytes: number } & { [N in Budget]: number | null },
  { recordShare, columnBytes }: FormatFacts,
): { [N in Budget]: number } {
  const { maxMemoryBytes, maxRecordBytes, rowGroupBytes, maxKeyBytes, maxColumns } = given
  const share = (part: number, most: number): number => Math.min(Math.floor(maxMemoryBytes / part), most)
  return {
    maxRecordBytes: maxRecordBytes ?? share(recordShare, 16 * MiB),
    rowGroupBytes: rowGroupBytes ?? share(8, 32 * MiB),
    maxKeyBytes: maxKeyBytes ?? share(4, 64 * MiB),
    maxColumns: maxColumns ?? share(columnBytes, defaultMaxColumns),
  }
}

/** Whether `--out` says stdout. */
export function isStdout(out: string): boolean {
  return out === '-' || out === '/dev/stdout'
}

function unknown(name: string, names: readonly string[]): ConfigError {
  const nearest = nearestName(name, names)
  const message = `there is no option ${shorten(name)}${nearest === undefined ? '' : ` (did you mean ${nearest}?)`}`
  return new ConfigError('ERR_OPTION_UNKNOWN', message)
}
