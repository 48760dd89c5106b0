import { describe, expect, test } from 'vitest'
import { type LayoutOptions, layoutOf } from '../../../src/encode/columns/layout.js'
import { csvEncoder } from '../../../src/encode/csv.js'
import { parquetEncoder } from '../../../src/encode/parquet/parquet.js'
import type { Field, FieldType } from '../../../src/schema/resource.js'

const string: FieldType = { kind: 'string' }
const field = (name: string, type: FieldType = string): Field => ({ name, type })
const struct = (...fields: Field[]): FieldType => ({ kind: 'struct', fields })
const list = (element: FieldType): FieldType => ({ kind: 'list', element })
const schemaOf = (...fields: Field[]) => ({ resource: '*', version: 1, fields })
const layout = (fields: Field[], more: Partial<LayoutOptions> = {}) =>
  layoutOf({
    schema: schemaOf(...fields),
    hasKey: false,
    nested: 'values',
    flattenSlots: 1,
    unknownFields: 'extra',
    onTypeMismatch: 'extra',
    ...more,
  })

describe('columns that readers take for one are refused, by their names', () => {
  test.each<[string, Field[], Partial<LayoutOptions>, string]>([
    ['fields', [field('userId'), field('userid')], {}, 'the columns userId and userid differ in case alone'],
    ['beyond ASCII', [field('Äb'), field('äB')], {}, 'the columns Äb and äB differ in case alone'],
    ['in a struct', [field('p', struct(field('Email'), field('email')))], {}, 'the fields p.Email and p.email differ'],
    [
      'in structs in a list',
      [field('p.q', list(list(struct(field('a'), field('A')))))],
      {},
      'the fields p\\\\.q.a and p\\\\.q.A differ in case alone',
    ],
    ['the column of all else', [field('Extra')], {}, 'the columns Extra and extra differ in case alone'],
    ['the column of keys', [field('_KEY')], { hasKey: true }, 'the columns _key and _KEY differ in case alone'],
    [
      'flattened',
      [field('p', struct(field('E'), field('e')))],
      { nested: 'flatten' },
      'the columns p.E and p.e differ',
    ],
    [
      'flattened with others',
      [field('p', struct(field('e'))), field('P.E')],
      { nested: 'flatten' },
      'the columns p.e and P.E',
    ],
    [
      'one name in two ways',
      [field('a.0'), field('a', list(string))],
      { nested: 'flatten' },
      'the fields a\\\\.0 and a.0 would both be the column a.0',
    ],
    [
      'one name in two ways, inside',
      [field('a', struct(field('b.c'), field('b', struct(field('c')))))],
      { nested: 'flatten' },
      'the fields a.b\\\\.c and a.b.c would both be the column a.b.c',
    ],
    ['ours', [field('extra')], {}, 'the column extra is one that truto-export makes itself'],
  ])('%s', (_case, fields, more, message) => {
    expect(() => layout(fields, more)).toThrow(
      expect.objectContaining({ code: 'ERR_OPTION_INVALID', message: expect.stringMatching(message) }),
    )
  })

  test('names of JSON text are no columns, and a column that is not there is in nobody’s way', () => {
    expect(layout([field('p', struct(field('E'), field('e')))], { nested: 'text' }).columns).toHaveLength(2)
    expect(layout([field('Extra')], { unknownFields: 'drop', onTypeMismatch: 'null' }).columns).toHaveLength(1)
    expect(layout([field('a', struct(field('x'))), field('b', struct(field('X')))]).columns).toHaveLength(3)
  })

  test('encoders refuse them too', () => {
    const schema = schemaOf(field('a'), field('A'))
    for (const open of [csvEncoder, parquetEncoder]) expect(() => open({ schema })).toThrow('differ in case alone')
  })
})
