// An export by a traced build (see moves.ts), in a process of its own. Arguments: the build's index, options as JSON.
// Prints what was entered, as JSON.

import { pathToFileURL } from 'node:url'

const [, , index, options] = process.argv as [string, string, string, string]
const entered: Array<[file: number, name: string]> = []
Object.assign(globalThis, { __enter: (file: number, name: string) => void entered.push([file, name]) })
const { exportRecords } = (await import(pathToFileURL(index).href)) as typeof import('../src/index.js')
await exportRecords({ accountRequests: 0, tokenRequests: 0, ...JSON.parse(options) })
process.stdout.write(JSON.stringify(entered))
