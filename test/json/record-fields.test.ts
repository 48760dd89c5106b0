import { describe, expect, test } from 'vitest'
import { slicersWithFields } from '../helpers/record-fields.js'
import { factories, factoryNames } from './factories.js'
import { recordFieldsConformance } from './record-fields.js'
import { defaultOptions } from './slicing.js'

const given = factoryNames.filter((name) => name.startsWith('simd'))

describe('the reference, over js', () => {
  recordFieldsConformance(slicersWithFields(factories['js']!), { isEager: true })
})

describe.each(given)('%s', (name) => {
  recordFieldsConformance(factories[name]!, { isEager: name.endsWith('eager') })
})

test.each(factoryNames.filter((name) => !given.includes(name)))(
  'batches of %s have no fields, also where they are asked for',
  (name) => {
    const slicer = factories[name]!({ ...defaultOptions, withFields: true })
    let records = 0
    for (const batch of [...slicer.push(Buffer.from('[{"a":1},{"b":2}]')), ...slicer.end()]) {
      records += batch.count
      expect(batch.fields).toBeUndefined()
    }
    expect(records).toBe(2)
  },
)
