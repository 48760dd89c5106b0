// A page over HTTP to NDJSON with what Node has: fetch, response.json(), JSON.stringify. Arguments: URL, output.

import { writeFile } from 'node:fs/promises'

const [url, out] = process.argv.slice(2) as [string, string]
const response = await fetch(url)
const { result } = (await response.json()) as { result: unknown[] }
await writeFile(out, result.map((record) => `${JSON.stringify(record)}\n`).join(''))
