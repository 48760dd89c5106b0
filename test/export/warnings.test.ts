import { expect, test } from 'vitest'
import { addWarnings } from '../../src/export/warnings.js'
import type { Warning } from '../../src/record.js'

const [b, a]: Warning[] = [
  { code: 'b', message: 'values', count: 3, fields: { id: 2, ['__proto__']: 1 } },
  { code: 'a', message: 'texts', count: 1 },
]

test('the same warnings are the same sum, whichever run saw which first', () => {
  const sum = [
    { ...a!, count: 2 },
    { ...b!, count: 6, fields: { id: 4, ['__proto__']: 2 } },
  ]
  expect(addWarnings([b!], [a!, b!, a!])).toEqual(sum)
  expect(addWarnings([a!, b!], [b!, a!])).toEqual(sum)
  expect(addWarnings([], [b!, a!])).toEqual([a, b])
})
