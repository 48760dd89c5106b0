// The slicers that tests hold against one another, by name: one factory for each engine, and for `simd` and `js` one
// that calls the scanner even for a few bytes, which the engine itself leaves to its state machine.

import { jsSlicers } from '../../src/json/engine-js/engine-js.js'
import { eagerPolicy } from '../../src/json/engine-js/slicer.js'
import { engineNames } from '../../src/json/engine-names.js'
import { simdSlicers } from '../../src/json/engine-simd/engine-simd.js'
import { slicerFactory } from '../../src/json/engines.js'
import type { SlicerFactory } from '../../src/json/slicer.js'

export const factories: Record<string, SlicerFactory> = {
  'simd, eager': simdSlicers(eagerPolicy)!,
  'js, eager': jsSlicers(eagerPolicy),
}
for (const name of engineNames) factories[name] = await slicerFactory(name)

export const factoryNames: readonly string[] = Object.keys(factories)
