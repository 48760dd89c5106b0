// One export in a process of its own, through the library. Argument: options of `exportRecords` as JSON. Prints counts and digest.

import { exportRecords } from '../src/index.js'

const { records, outputBytes, digest } = await exportRecords(
  JSON.parse(process.argv[2]!) as Parameters<typeof exportRecords>[0],
)
process.stdout.write(`${JSON.stringify({ records, outputBytes, digest: digest?.hex ?? null })}\n`)
