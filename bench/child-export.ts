// One export in a process of its own, through the library. Arguments: options of `exportRecords` as JSON, and how often to sample memory, in ms (0: never).

import { exportRecords } from '../src/index.js'
import { reportSelf } from './measure.js'

const options = JSON.parse(process.argv[2]!) as Parameters<typeof exportRecords>[0]
const everyMs = Number(process.argv[3] ?? 0)
const curve: Array<[seconds: number, rssMB: number]> = []
const sample = (): void => void curve.push([performance.now() / 1000, process.memoryUsage.rss() / 1e6])
const timer = everyMs > 0 ? setInterval(sample, everyMs) : undefined
const report = await exportRecords(options)
clearInterval(timer)
reportSelf({ records: report.records, outputBytes: report.outputBytes, digest: report.digest?.hex, curve })
