// Format → its encoder. Those of columns bring kernels and libraries, and are loaded only where they are wanted.

import type { CsvOptions } from './csv.js'
import type { Encoder } from './encoder.js'
import type { Format } from './formats.js'
import { type JsonEncoderOptions, jsonEncoder } from './json.js'
import { ndjsonEncoder } from './ndjson.js'
import type { ParquetOptions } from './parquet/parquet.js'

/** What the encoders are told. Each takes what it knows of it. */
export type EncoderOptions = JsonEncoderOptions & CsvOptions & ParquetOptions

const openers = {
  ndjson: async (options) => ndjsonEncoder(options),
  json: async (options) => jsonEncoder(options),
  csv: async (options) => (await import('./csv.js')).csvEncoder(options),
  parquet: async (options) => (await import('./parquet/parquet.js')).parquetEncoder(options),
} satisfies Record<Format, (options: EncoderOptions) => Promise<Encoder>>

/** The encoder of a format. @throws ConfigError for what it does not take */
export function openEncoder(format: Format, options: EncoderOptions): Promise<Encoder> {
  return openers[format](options)
}
