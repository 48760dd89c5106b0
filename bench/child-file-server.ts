// Serves one file as the answer to every request, in a process of its own so that its cost is not counted. Argument:
// path. Prints its URL and runs until its stdin closes.

import { createReadStream, statSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const path = process.argv[2]!
const headers = { 'content-type': 'application/json', 'content-length': statSync(path).size }
const server = createServer((_request, response) => {
  response.writeHead(200, headers)
  createReadStream(path, { highWaterMark: 256 * 1024 }).pipe(response)
})
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`)
})
process.stdin.resume()
process.stdin.on('end', () => {
  server.close()
  server.closeAllConnections()
})
