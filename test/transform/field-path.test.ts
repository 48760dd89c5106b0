import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ConfigError } from '../../src/errors.js'
import { parseFieldPath } from '../../src/transform/field-path.js'

test.each([
  ['id', ['id']],
  ['a.b.c', ['a', 'b', 'c']],
  ['a\\.b.c', ['a.b', 'c']],
  ['a\\\\.b', ['a\\', 'b']],
  ['\\@key', ['@key']],
  [' a ', [' a ']],
])('%j names %j', (path, segments) => {
  expect(parseFieldPath(path)).toEqual(segments)
})

test('the refusal names the path with its control characters escaped', () => {
  expect(() => parseFieldPath('a..\u001b[31m')).toThrow("field path 'a..\\u{1b}[31m': a name in it is empty")
  expect(() => parseFieldPath('a\\n')).toThrow(ConfigError)
})

test('any names survive being written as a path', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ minLength: 1, unit: fc.constantFrom('a', '.', '\\', '@', 'ü', '😀') }), {
        minLength: 1,
        maxLength: 4,
      }),
      (segments) => {
        const path = segments.map((name) => name.replace(/[\\.]/g, '\\$&')).join('.')
        expect(parseFieldPath(path)).toEqual(segments)
      },
    ),
  )
})
