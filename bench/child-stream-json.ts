// A saved page to NDJSON with stream-json, composed as its README composes: parser, pick, streamArray. Arguments: page,
// output.

import { createReadStream, createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import chain from 'stream-chain'
import { parser } from 'stream-json'
import { pick } from 'stream-json/filters/pick.js'
import { streamArray } from 'stream-json/streamers/stream-array.js'

const [page, out] = process.argv.slice(2) as [string, string]
await pipeline(
  createReadStream(page),
  chain([
    parser(),
    pick({ filter: 'result' }),
    streamArray(),
    ({ value }: { value: unknown }) => `${JSON.stringify(value)}\n`,
  ]),
  createWriteStream(out),
)
