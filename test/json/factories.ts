// The slicers that tests hold against one another, by name: one factory for each engine, and one that calls the kernel of `simd` even for a few bytes, which
// the engine itself leaves to its state machine.

import { eagerPolicy, simdSlicers } from '../../src/json/engine-simd/engine-simd.js'
import { engineNames, type SlicerFactory, slicerFactory } from '../../src/json/slicer.js'

export const factories: Record<string, SlicerFactory> = { 'simd, eager': simdSlicers(eagerPolicy) }
for (const name of engineNames) factories[name] = await slicerFactory(name)

export const factoryNames: readonly string[] = Object.keys(factories)
