// Loaded into Node with --require by the benchmarks: writes the peak of this process's resident set, in KiB, where
// TRUTO_EXPORT_BENCH_PEAK says.

const { readFileSync, writeFileSync } = require('node:fs')

process.on('exit', () => {
  const path = process.env.TRUTO_EXPORT_BENCH_PEAK
  if (path) writeFileSync(path, /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'))[1])
})
