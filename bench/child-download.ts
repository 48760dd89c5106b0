// The floor of any exporter in Node: undici downloads one body to a file as it comes, nothing looked at. Arguments: URL, token, path.

import { createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { Agent, request } from 'undici'
import { reportSelf } from './measure.js'

const [url, token, path] = process.argv.slice(2) as [string, string, string]
const dispatcher = new Agent()
const answer = await request(url, { dispatcher, headers: { authorization: `Bearer ${token}` } })
if (answer.statusCode !== 200) throw new Error(`status ${answer.statusCode}`)
await pipeline(answer.body, createWriteStream(path))
await dispatcher.close()
reportSelf()
