// The choice of the shredder that fills the leaves.

import { kernelShredder } from './kernel/kernel.js'
import { RecordShredder, type Shredder, type ShredderOptions, typescriptShredder } from './shredder.js'

/** A shredder: the kernel where this runtime has WebAssembly SIMD and memory for it, else the one in TypeScript. Both
 *  give the same leaves. */
export function columnShredder(options: ShredderOptions): Shredder {
  return kernelShredder(options, new RecordShredder(options)) ?? typescriptShredder(options)
}
