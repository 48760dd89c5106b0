import { describe } from 'vitest'
import { engineNames, slicerFactory } from '../../src/json/slicer.js'
import { slicerConformance } from './conformance.js'
import { keepsBytes } from './slicing.js'

const engines = await Promise.all(engineNames.map(async (name) => ({ name, factory: await slicerFactory(name) })))

describe.each(engines)('$name', ({ name, factory }) => {
  slicerConformance(factory, { keepsBytes: keepsBytes(name) })
})
