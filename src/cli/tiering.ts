// Of an export with the engine `simd`, nearly all is done in WebAssembly. The JavaScript around it runs a few times for
// each chunk of bytes, one part in a hundred of the time; V8's optimising compiler takes it for hot, and an export of
// 264 MB spent a tenth of its CPU time on that.

import { setFlagsFromString } from 'node:v8'

/** Flag of V8 in Node.js 20: bytes of bytecode that a function executes, 132 KB by itself, before V8 optimises it.
 *  Later versions have no such flag; their counts of calls raised tenfold made no difference. */
const flag = 'interrupt-budget'

/** From now on V8 takes functions for hot much later. It sets a flag of V8, which is for a program to decide, not for a
 *  library. */
export function optimiseLater(): void {
  if (process.versions.node.startsWith('20.')) setFlagsFromString(`--${flag}=1000000`)
}
