// The floor of any exporter in Node: undici downloads one body to a file as it comes, nothing looked at. Arguments:
// URL, path, token.

import { createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { Agent, request } from 'undici'

const [url, path, token] = process.argv.slice(2) as [string, string, string | undefined]
const dispatcher = new Agent()
const answer = await request(url, { dispatcher, headers: token ? { authorization: `Bearer ${token}` } : {} })
if (answer.statusCode !== 200) throw new Error(`status ${answer.statusCode}`)
await pipeline(answer.body, createWriteStream(path))
await dispatcher.close()
