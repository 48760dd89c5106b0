// The engine that reads records with the WebAssembly kernel, and all else with the state machine of `js`: one place
// knows the grammar's errors, the framings and the limits, and the kernel only has to be right about the records that
// it takes.

import { type ScanPolicy, SlicerJs } from '../engine-js/slicer.js'
import type { SlicerFactory } from '../slicer.js'
import { openKernel } from './kernel.js'

/** Slicers over one kernel and its window; null where this runtime has no WebAssembly SIMD, or no room for the kernel's
 *  memory.
 *  @param policy when the kernel is called; only tests have reason to give one */
export function simdSlicers(policy?: ScanPolicy): SlicerFactory | null {
  const kernel = openKernel()
  return kernel && ((options) => new SlicerJs(options, kernel, kernel, policy))
}
