// The engine that reads records with the WebAssembly kernel, and all else with the state machine of `js`: one place knows the grammar's errors, the
// framings and the limits, and the kernel only has to be right about the records that it takes.

import { InternalError } from '../../errors.js'
import { type ScanPolicy, SlicerJs } from '../engine-js/slicer.js'
import type { SlicerFactory } from '../slicer.js'
import { Kernel, kernelModule } from './kernel.js'

/** Slicers over one kernel and its window.
 *  @param policy when the kernel is called; only tests have reason to give one */
export function simdSlicers(policy?: ScanPolicy): SlicerFactory {
  const module = kernelModule()
  if (module === null) throw new InternalError('ERR_INTERNAL', 'this runtime has no WebAssembly SIMD')
  const kernel = new Kernel(module)
  return (options) => new SlicerJs(options, kernel, kernel, policy)
}
