// One export in a process of its own that may end with an error. Argument: options of `exportRecords` as JSON. Prints
// counts, and the code of the error.

import { ExportError } from '../src/errors.js'
import { keepParserSmall } from '../src/http/undici/parser-tiering.js'
import { exportRecords } from '../src/index.js'

// as the command line does
keepParserSmall()
const options = JSON.parse(process.argv[2]!) as Parameters<typeof exportRecords>[0]
const progress = { records: 0, pages: 0, bodyBytes: 0, outputBytes: 0, requests: 0, wait: null }
let code: string | null = null
try {
  // what is measured is not how long we wait for the limits of a server that has none
  await exportRecords({ accountRequests: 0, tokenRequests: 0, ...options, progress })
} catch (error) {
  if (!(error instanceof ExportError)) throw error
  code = error.code
}
const { records, outputBytes } = progress
process.stdout.write(`${JSON.stringify({ records, outputBytes, code })}\n`)
