import { expect, test } from 'vitest'
import { extensionOf, extensionsOf, factsOf, formatNames } from '../../src/encode/formats.js'
import { openEncoder } from '../../src/encode/openers.js'
import { memberSchema } from '../../src/schema/member.js'

test.each([
  ['out.ndjson', 'ndjson', 'none'],
  ['out.jsonl', 'ndjson', 'none'],
  ['out.ndjson.gz', 'ndjson', 'gzip'],
  ['OUT.CSV.GZ', 'csv', 'gzip'],
  ['out.json.zst', 'json', 'zstd'],
  ['out.parquet', 'parquet', 'none'],
  ['out.zst', undefined, 'zstd'],
  ['out.constructor', undefined, 'none'],
  ['out.gz/part', undefined, 'none'],
  ['-', undefined, 'none'],
])('the name %s asks for %s under %s', (path, format, compress) => {
  expect(extensionsOf(path)).toEqual({ format, compress })
})

test('no two formats have an extension in common, and the usual name of each asks for it', () => {
  const extensions = formatNames.flatMap((name) => factsOf(name).extensions)
  expect(new Set(extensions).size).toBe(extensions.length)
  for (const format of formatNames) {
    for (const compress of ['none', 'gzip', 'zstd'] as const) {
      expect(extensionsOf(`out${extensionOf(format, compress)}`)).toEqual({ format, compress })
    }
  }
})

test.each(formatNames)('the encoder of %s is what its row says', async (format) => {
  const encoder = await openEncoder(format, { schema: memberSchema })
  const { mediaType, extensions, cuts } = factsOf(format)
  expect(encoder).toMatchObject({ format, mediaType, extension: `.${extensions[0]}` })
  expect(encoder.cut !== undefined).toBe(cuts === 'row groups')
})
