// The largest resident set of this process.

import { readFileSync } from 'node:fs'

/** In bytes. Linux gives a new program the `ru_maxrss` of the one that started it, so that there it is what /proc
 *  tells. */
export function peakRssBytes(): number {
  try {
    const peak = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'))
    if (peak !== null) return Number(peak[1]) * 1024
  } catch {
    // no Linux, or no /proc
  }
  return process.resourceUsage().maxRSS * 1024
}
