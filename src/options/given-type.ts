// The options of an export as a type of TypeScript with a docstring for each, printed from the table: editors show it
// where options are given in code. The build writes it to given-options.ts. Pure.

import { formatBytesExact, formatCount, formatDuration } from '../bytes/units.js'
import { exportTable, type OptionEntry, type OptionTable } from './schema.js'

const width = 120
const optionsInCode = Object.entries(exportTable as OptionTable).filter(([, { isCliOnly }]) => !isCliOnly)

/** Options that say which list it is. Where one of them is undefined it most often is a variable of the environment
 *  that is not set. */
const ofList = ['account', 'workspace', 'channel']

/** The module as text. Its types are plain ones: of a type that is mapped from another, editors show no docstrings. */
export function renderGivenType(): string {
  const others = optionsInCode.filter(([name]) => name !== 'resource' && !ofList.includes(name))
  const lists = optionsInCode.filter(([name]) => ofList.includes(name))
  const resource = docstring(docOf((exportTable as OptionTable)['resource']!))
  return `// Written by build-options.mjs from schema.ts: do not edit.

import type { QueryParameters } from '../http/query.js'

/** What one export may be told, by property name. Null and undefined are as good as absent. */
export type GivenOptions = OtherOptions & {
  readonly [N in keyof ListOptions]: ListOptions[N] | undefined
} & { readonly resource?: string | null | undefined }

/** The list, under the account that it is of. Null is as good as absent. */
export type ListOptions = {
${lists.map(([name, entry]) => member(name, entry, `${typeOf(entry)} | null`)).join('')}}

/** The resource, where it has to be named. */
export type OfResource<R extends string> = {
${resource}  readonly resource: R
}

/** The resource, where it need not be named. */
export type MaybeOfResource<R extends string> = {
${resource}  readonly resource?: R
}

/** All other options. Null and undefined are as good as absent. */
export type OtherOptions = {
${others.map(([name, entry]) => member(name, entry, `${typeOf(entry)} | null | undefined`)).join('')}}
`
}

function member(name: string, entry: OptionEntry, type: string): string {
  return `${docstring(docOf(entry))}  readonly ${name}?: ${type}
`
}

/** What a value of it is in code, as TypeScript. */
function typeOf({ kind, values }: OptionEntry): string {
  switch (kind) {
    case 'enum':
      return values!.map((value) => `'${value}'`).join(' | ')
    case 'boolean':
      return 'boolean'
    case 'integer':
    case 'bytes':
    case 'duration':
      return 'number'
    case 'list':
      return 'readonly string[]'
    case 'query':
      return 'QueryParameters'
    case 'reference':
      return 'string | QueryParameters'
    case 'schema':
      return 'string | object'
    case 'key':
      return 'string | Uint8Array'
    case 'string':
      return 'string'
  }
}

function docOf(entry: OptionEntry): string {
  const place = entry.flag === undefined ? entry.placeholder! : entry.flag
  const env = entry.env === undefined ? '' : `, in the environment ${entry.env}`
  return [inCode(entry.doc), unitText(entry), defaultText(entry), `On the command line ${code(place)}${env}.`]
    .filter(Boolean)
    .join(' ')
}

function unitText({ kind, min = 0, max }: OptionEntry): string {
  const range = (text: (value: number) => string): string =>
    max === undefined ? `${text(min)} or more` : `${text(min)} to ${text(max)}`
  switch (kind) {
    case 'bytes':
      return `In bytes, ${range(formatBytesExact)}.`
    case 'duration':
      return `In milliseconds, ${range(formatDuration)}.`
    case 'integer':
      return `From ${range(formatCount)}.`.replace(/^From (.*) or more/, '$1 or more')
    default:
      return ''
  }
}

function defaultText(entry: OptionEntry): string {
  if (entry.defaultText !== undefined) return `Default: ${inCode(entry.defaultText)}.`
  if (entry.default === null || entry.default === false || (Array.isArray(entry.default) && entry.default.length === 0))
    return ''
  switch (entry.kind) {
    case 'bytes':
      return `Default: ${formatBytesExact(entry.default as number)}.`
    case 'duration':
      return `Default: ${formatDuration(entry.default as number)}.`
    case 'integer':
      return `Default: ${formatCount(entry.default as number)}.`
    default:
      return `Default: ${code(String(entry.default))}.`
  }
}

/** Text of the table with properties in the place of flags: `--max-memory` → `maxMemoryBytes`. */
function inCode(text: string): string {
  return text.replace(/(?<![\w-])--[a-z]+(?:-[a-z]+)*/g, (flag) => {
    const named = optionsInCode.find(([, entry]) => entry.flag === flag)
    if (named !== undefined) return code(named[0])
    const negated = optionsInCode.find(([, entry]) => entry.flag === flag.replace('--no-', '--'))
    if (negated === undefined) return code(flag)
    return code(`${negated[0]}: ${negated[1].negative === undefined ? false : `'${negated[1].negative}'`}`)
  })
}

function code(text: string): string {
  return `\`${text}\``
}

function docstring(text: string): string {
  const lines: string[] = []
  let line = '  /**'
  for (const word of text.replaceAll('*/', '* /').split(' ')) {
    if (line.length + 1 + word.length > width - 3) {
      lines.push(line)
      line = `   * ${word}`
    } else line += ` ${word}`
  }
  return `${[...lines, line].join('\n')} */\n`
}
