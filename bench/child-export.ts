// One export in a process of its own, through the library. Argument: options of `exportRecords` as JSON. Prints counts
// and digest.

import { keepParserSmall } from '../src/http/undici/parser-tiering.js'
import { exportRecords } from '../src/index.js'

// as the command line does
keepParserSmall()
const options = JSON.parse(process.argv[2]!) as Parameters<typeof exportRecords>[0]
// what is measured is not how long we wait for the limits of a server that has none
const { records, outputBytes, digest } = await exportRecords({ accountRequests: 0, tokenRequests: 0, ...options })
process.stdout.write(`${JSON.stringify({ records, outputBytes, digest: digest?.hex ?? null })}\n`)
