// Edits as people write them: `path=hash` and `path=name`.

import { ConfigError, printable } from '../errors.js'
import type { FieldEdits, Redaction } from './field-edits.js'
import { parseFieldPath } from './field-path.js'

/** Options that edit fields, as given. An empty `select` selects everything. */
export interface EditOptions {
  readonly select: readonly string[]
  readonly exclude: readonly string[]
  readonly redact: readonly string[]
  readonly rename: readonly string[]
}

/** The edits that the options ask for. @throws ConfigError ERR_OPTION_INVALID where a text of `redact` or `rename` is
 *  not of its form */
export function parseEdits({ select, exclude, redact, rename }: EditOptions): FieldEdits {
  const redactions = parseRedactions(redact)
  const dropped = redactions.flatMap(([path, how]) => (how === 'drop' ? [path] : []))
  return {
    select: select.length === 0 ? undefined : select,
    exclude: [...exclude, ...dropped],
    dropped,
    redact: redactions.filter((redaction): redaction is [string, Redaction] => redaction[1] !== 'drop'),
    rename: rename.map(parseRename),
  }
}

/** What is to be redacted, and how. @throws ConfigError ERR_OPTION_INVALID */
export function parseRedactions(redact: readonly string[]): [path: string, how: Redaction | 'drop'][] {
  return redact.map(parseRedaction)
}

function parseRedaction(text: string): [path: string, how: Redaction | 'drop'] {
  const [path, how] = parsePair(text, 'redact', 'field=hash')
  if (how !== 'drop' && how !== 'hash' && how !== 'mask') {
    throw new ConfigError('ERR_OPTION_INVALID', `redact: '${printable(how)}' is no way to redact ${printable(path)}`, {
      hint: 'it is drop, hash or mask',
    })
  }
  return [path, how]
}

function parseRename(text: string): [path: string, name: string] {
  const [path, name] = parsePair(text, 'rename', 'old=new')
  const names = parseFieldPath(name)
  if (names.length === 1) return [path, names[0]!]
  throw new ConfigError('ERR_OPTION_INVALID', `rename: '${printable(name)}' is a path, not a name`, {
    hint: 'a field stays where it is; \\. is a dot of a name',
  })
}

/** The parts before and after the first `=` that has no backslash before it; `\=` is one of a name. */
function parsePair(text: string, option: string, form: string): [string, string] {
  const [, before, after] = /^((?:[^\\=]|\\.)+)=(.+)$/s.exec(text) ?? []
  if (before !== undefined && after !== undefined) return [unescaped(before), unescaped(after)]
  throw new ConfigError('ERR_OPTION_INVALID', `${option}: '${printable(text)}' is not of the form ${form}`)
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/gs, (pair, character: string) => (character === '=' ? '=' : pair))
}
