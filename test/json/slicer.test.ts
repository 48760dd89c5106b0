import { describe } from 'vitest'
import { slicerConformance } from './conformance.js'
import { factories, factoryNames } from './factories.js'
import { keepsBytes } from './slicing.js'

describe.each(factoryNames)('%s', (name) => {
  slicerConformance(factories[name]!, { keepsBytes: keepsBytes(name) })
})
