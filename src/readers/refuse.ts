// What a reader cannot read is said before anybody tries.

import { type Codec, factsOf } from '../encode/formats.js'
import { ConfigError } from '../errors.js'
import type { FileFacts } from './facts.js'

/** What a reader takes beside plain NDJSON and CSV. */
export interface Abilities {
  /** How messages call it. */
  readonly title: string
  readonly parquet?: boolean
  readonly json?: boolean
  readonly keyed?: boolean
  readonly codecs: readonly Codec[]
  /** Whether it takes a quote other than `"`, and backslashes before quotes. */
  readonly quotes?: boolean
  readonly backslashes?: boolean
  /** Whether it takes a text for null. */
  readonly nullText?: boolean
}

/** What most readers unpack, and what those take that can be told of every dialect. */
export const usualCodecs = ['none', 'gzip', 'zstd'] as const satisfies readonly Codec[]
export const anyDialect = { quotes: true, backslashes: true, nullText: true } as const satisfies Partial<Abilities>

/** @throws ConfigError ERR_OPTION_INVALID where the reader cannot read such a file rightly */
export function checkAbilities(facts: FileFacts, able: Abilities): void {
  const { format, compression, dialect, isKeyed } = facts
  const { one } = factsOf(format)
  if ((format === 'parquet' && !able.parquet) || (format === 'json' && !able.json)) {
    throw refused(`${able.title} does not read ${one}`, 'write NDJSON or CSV, or take another --reader')
  }
  if (isKeyed && !able.keyed) {
    throw refused(
      `${able.title} cannot be told to read records under keys`,
      'write them without --key-by, or take another --reader',
    )
  }
  if (format !== 'parquet' && !able.codecs.includes(compression)) {
    throw refused(`${able.title} does not unpack ${compression}`, 'unpack the file first, or take another --reader')
  }
  if (format !== 'csv') return
  if (dialect.quote !== '"' && !able.quotes) throw dialectRefused(able, `strings in ${dialect.quote}`)
  if (dialect.escape === 'backslash' && !able.backslashes) throw dialectRefused(able, 'backslashes before quotes')
  if (dialect.nullText !== '' && !able.nullText)
    throw dialectRefused(able, 'null as a text, and the same text in quotes as itself')
}

/** What to throw where a reader does not read some dialect. */
export function dialectRefused({ title }: Pick<Abilities, 'title'>, what: string): ConfigError {
  return refused(`${title} does not read CSV with ${what}`, 'take another --reader, or write the usual dialect')
}

function refused(what: string, hint: string): ConfigError {
  return new ConfigError('ERR_OPTION_INVALID', what, { hint })
}
