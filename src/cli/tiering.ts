// Of an export with the engine `simd`, nearly all is done in WebAssembly. The JavaScript around it runs a few times for each chunk of bytes, one part in a
// hundred of the time; V8's optimising compiler takes it for hot, and an export of 264 MB spent a tenth of its CPU time on that.

import { setFlagsFromString } from 'node:v8'

const flag = 'interrupt-budget'

/** Lets a function run several times as long before V8 optimises it, in Node.js 20, with V8's budget of 132 KB of bytecode. Later ones have a compiler
 *  between, and no such flag: there, counts of calls raised tenfold made no difference. For a program to call, not for a library. */
export function optimiseLater(): void {
  if (process.versions.node.startsWith('20.')) setFlagsFromString(`--${flag}=1000000`)
}
