// A saved page to NDJSON with @streamparser/json, as its README reads a file of many elements. Arguments: page, output.

import { once } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import { JSONParser } from '@streamparser/json'

const [page, path] = process.argv.slice(2) as [string, string]
const out = createWriteStream(path)
const parser = new JSONParser({ paths: ['$.result.*'], keepStack: false })
let isFull = false
parser.onValue = ({ value }) => {
  isFull = !out.write(`${JSON.stringify(value)}\n`)
}
for await (const chunk of createReadStream(page)) {
  parser.write(chunk as Buffer)
  if (isFull) await once(out, 'drain')
  isFull = false
}
out.end()
await finished(out)
