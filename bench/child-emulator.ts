// An emulator in a process of its own, so that its cost is not counted: prints its URL and token as one line of JSON
// and runs until its stdin closes.

import { startEmulator } from '../src/emulator/emulator.js'

const options = JSON.parse(process.argv[2] ?? '{}') as Parameters<typeof startEmulator>[0]
const emulator = await startEmulator({ ...options, pageSize: options?.pageSize ?? Number.POSITIVE_INFINITY })
process.stdout.write(`${JSON.stringify({ url: emulator.url, token: emulator.token })}\n`)
process.stdin.resume()
process.stdin.on('end', () => void emulator.close())
