// The slicers that tests hold against one another, by name: one factory for each engine.

import { engineNames, type SlicerFactory, slicerFactory } from '../../src/json/slicer.js'

export const factories: Record<string, SlicerFactory> = {}
for (const name of engineNames) factories[name] = await slicerFactory(name)

export const factoryNames: readonly string[] = Object.keys(factories)
