import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ConfigError } from '../../src/errors.js'
import { type JsonValue, RecordBatch } from '../../src/record.js'
import { excludeFieldsStage } from '../../src/transform/exclude-fields.js'
import { batchOf, batchWith } from '../helpers/batch.js'
import { withFields } from '../helpers/record-fields.js'
import { documents, looselyPlaced, numRuns, paths, print } from './records.js'

const textsOf = (batch: RecordBatch): string[] => Array.from({ length: batch.count }, (_, index) => batch.text(index))
const exclude = (paths: string[], ...texts: string[]): string[] =>
  textsOf(excludeFieldsStage(paths).apply(batchOf(...texts)))

describe('excludeFields cuts the named fields out of the text', () => {
  const rows: [string, string[], string, string][] = [
    ['first field', ['a'], '{"a":1,"b":2,"c":3}', '{"b":2,"c":3}'],
    ['middle field', ['b'], '{"a":1,"b":2,"c":3}', '{"a":1,"c":3}'],
    ['last field', ['c'], '{"a":1,"b":2,"c":3}', '{"a":1,"b":2}'],
    ['all fields', ['a', 'b'], '{"a":1,"b":2}', '{}'],
    ['all fields, with spaces between', ['a', 'b'], '{ "a" : 1 , "b" : 2 }', '{}'],
    ['first two of three', ['a', 'b'], '{"a":1,"b":2,"c":3}', '{"c":3}'],
    ['last two of three', ['b', 'c'], '{"a":1,"b":2,"c":3}', '{"a":1}'],
    ['every second', ['a', 'c', 'e'], '{"a":1,"b":2,"c":3,"d":4,"e":5}', '{"b":2,"d":4}'],
    ['absent field', ['x'], '{"a":1}', '{"a":1}'],
    ['field of an empty record', ['a'], '{}', '{}'],
    ['object and array values', ['a', 'b'], '{"a":{"x":[1,{"y":"}"}]},"b":["]",[]],"c":0}', '{"c":0}'],
    ['every copy of a repeated key', ['a'], '{"a":1,"b":2,"a":{"a":3},"c":4,"a":5}', '{"b":2,"c":4}'],
    ['key spelled with escapes', ['name'], String.raw`{"n\u0061me":1,"na\u006de":2,"nam":3}`, '{"nam":3}'],
    ['key that holds a quote', ['a"b'], String.raw`{"a\"b":1,"a":2}`, '{"a":2}'],
    ['key beyond ASCII', ['größe'], '{"größe":1,"grösse":2}', '{"grösse":2}'],
    ['__proto__', ['__proto__'], '{"__proto__":{"polluted":1},"a":1}', '{"a":1}'],
    ['names that objects inherit', ['constructor', 'hasOwnProperty'], '{"constructor":1,"a":1}', '{"a":1}'],
    ['key that is a prefix of the path', ['ab'], '{"a":1,"ab":2,"abc":3}', '{"a":1,"abc":3}'],
    ['nested field', ['a.b'], '{"a":{"b":1,"c":2},"b":3}', '{"a":{"c":2},"b":3}'],
    ['only nested field, its parent stays', ['a.b'], '{"a":{"b":1},"c":2}', '{"a":{},"c":2}'],
    [
      'nested field of every element',
      ['emails.type'],
      '{"emails":[{"type":1,"e":2},{"type":3},4,null]}',
      '{"emails":[{"e":2},{},4,null]}',
    ],
    [
      'nested field through arrays of arrays',
      ['a.b'],
      '{"a":[[{"b":1}],[[{"b":2,"c":3}]]]}',
      '{"a":[[{}],[[{"c":3}]]]}',
    ],
    ['nested path into a value without members', ['a.b'], '{"a":"b","c":{"a":{"b":1}}}', '{"a":"b","c":{"a":{"b":1}}}'],
    ['a field and a path below it', ['a.b', 'a'], '{"a":{"b":1},"c":2}', '{"c":2}'],
    ['paths that share their beginning', ['a.b', 'a.c.d'], '{"a":{"b":1,"c":{"d":2,"e":3}}}', '{"a":{"c":{"e":3}}}'],
    ['name with a dot', ['a\\.b'], '{"a.b":1,"a":{"b":2}}', '{"a":{"b":2}}'],
    ['name with a backslash', ['a\\\\b'], String.raw`{"a\\b":1,"ab":2}`, '{"ab":2}'],
    [
      'digits, escapes and order of the rest',
      ['x'],
      String.raw`{"b":1.50e+400,"x":0,"a":"\u0041\/","1":-0}`,
      String.raw`{"b":1.50e+400,"a":"\u0041\/","1":-0}`,
    ],
  ]
  test.each(rows)('%s', (_name, paths, text, expected) => {
    expect(exclude(paths, text)).toEqual([expected])
    // and the same between neighbours that are not touched
    expect(exclude(paths, '{"z":0}', text, '{"z":1}')).toEqual(['{"z":0}', expected, '{"z":1}'])
  })

  const spaced: [string, string[], string, string][] = [
    ['around a first field', ['a'], '{ "a" : 1 , "b" : 2 }', '{ "b" : 2 }'],
    ['around a middle field', ['b'], '{ "a" : 1 ,\t"b" : 2\t, "c" : 3 }', '{ "a" : 1 , "c" : 3 }'],
    ['around a last field', ['b'], '{ "a" : 1 ,\t"b" : 2\t}', '{ "a" : 1 }'],
    ['around two fields in a row', ['b', 'c'], '{ "a" : 1 ,\t"b" : 2\t,\t"c" : 3\t, "d":4}', '{ "a" : 1 , "d":4}'],
    ['of an empty record', ['a'], '{  }', '{  }'],
    ['in an empty nested object', ['b.a', 'c'], '{"b":{ },"c":1}', '{"b":{ }}'],
    ['in a nested object', ['b.a'], '{"b" : { "a":1 , "c":2\t} }', '{"b" : { "c":2\t} }'],
  ]
  test.each(spaced)('white space goes with what it stands around: %s', (_name, paths, text, expected) => {
    expect(exclude(paths, text)).toEqual([expected])
    const batch = withFields(batchOf(text, '{"b":{"a":1},"c":2}'))
    expect(textsOf(excludeFieldsStage(paths).apply(batch))[0]).toBe(expected)
  })

  test('nothing leaks to the prototype of objects', () => {
    exclude(['__proto__.polluted'], '{"__proto__":{"polluted":1}}')
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })
})

test('a batch in which nothing was found is returned itself', () => {
  const batch = batchOf('{"a":1}', '{"b":{"c":1}}')
  expect(excludeFieldsStage(['x', 'b.x']).apply(batch)).toBe(batch)
  const empty = batchOf()
  expect(excludeFieldsStage(['x']).apply(empty)).toBe(empty)
})

test('the result stands as lines, with the keys and positions of its argument', () => {
  const batch = batchWith(['{"a":1,"b":2}', '{"b":3}'], {
    page: 7,
    firstRecordIndex: 40,
    byteOffset: 9,
    keys: ['k', 'l'],
  })
  const out = excludeFieldsStage(['a']).apply(batch)
  expect(out.isLines).toBe(true)
  expect(out.bytes.toString()).toBe('{"b":2}\n{"b":3}\n')
  expect(out.keys).toEqual(['k', 'l'])
  expect(out.positionOf(1)).toEqual({ page: 7, recordIndex: 41 })
})

test('the argument is not changed', () => {
  const batch = batchOf('{"a":1,"b":2}')
  const before = Buffer.from(batch.bytes)
  excludeFieldsStage(['a']).apply(batch)
  expect(batch.bytes).toEqual(before)
})

test('a batch owns its bytes unless reuse was asked for', () => {
  const first = batchOf('{"a":1,"b":1}')
  const second = batchOf('{"a":2,"b":2}')
  const owning = excludeFieldsStage(['a'])
  const kept = owning.apply(first)
  owning.apply(second)
  expect(textsOf(kept)).toEqual(['{"b":1}'])
  const reusing = excludeFieldsStage(['a'], { reuse: true })
  const view = reusing.apply(first)
  expect(textsOf(view)).toEqual(['{"b":1}'])
  expect(reusing.apply(second).bytes.buffer).toBe(view.bytes.buffer)
})

describe('a batch whose engine knows the members', () => {
  /** `fields` that tell what was asked of them. */
  const asked = (texts: string[]): { batch: RecordBatch; calls: (readonly string[])[] } => {
    const calls: (readonly string[])[] = []
    const batch = withFields(batchOf(...texts))
    const exclude = (names: readonly string[]) => {
      calls.push(names)
      return batch.fields!.exclude(names)
    }
    return { batch: new RecordBatch({ ...batch, fields: { ...batch.fields!, exclude } }), calls }
  }
  const texts = ['{"a":1,"b":{"c":2,"d":3}}', '{"b":{"c":4}}']

  test('loses its top-level fields there, asked for by one array, and keys and positions stay', () => {
    const stage = excludeFieldsStage(['a', 'a.b', 'x'], { reuse: true })
    const { batch, calls } = asked(texts)
    const out = stage.apply(new RecordBatch({ ...batch, page: 3, keys: ['k', 'l'] }))
    stage.apply(batch)
    expect(calls).toEqual([
      ['a', 'x'],
      ['a', 'x'],
    ])
    expect(calls[0]).toBe(calls[1])
    expect(textsOf(out)).toEqual(['{"b":{"c":2,"d":3}}', '{"b":{"c":4}}'])
    expect(out).toMatchObject({ page: 3, keys: ['k', 'l'], isLines: true, byteOffset: undefined, fields: undefined })
  })

  test('loses its nested fields to the stage itself, from what the engine left', () => {
    const { batch, calls } = asked(texts)
    const stage = excludeFieldsStage(['a', 'b.c'])
    expect(stage.readsFields).toBe(true)
    expect(textsOf(stage.apply(batch))).toEqual(['{"b":{"d":3}}', '{"b":{}}'])
    expect(calls).toEqual([['a']])
  })

  test('loses them to the stage itself where the engine cannot tell', () => {
    const { batch } = asked(texts)
    const declined = new RecordBatch({ ...batch, fields: { ...batch.fields!, exclude: () => null } })
    expect(textsOf(excludeFieldsStage(['a', 'b.c']).apply(declined))).toEqual(['{"b":{"d":3}}', '{"b":{}}'])
  })

  test('is not asked where all fields are nested', () => {
    const { batch, calls } = asked(texts)
    const stage = excludeFieldsStage(['b.c'])
    expect(stage.readsFields).toBe(false)
    expect(textsOf(stage.apply(batch))).toEqual(['{"a":1,"b":{"d":3}}', '{"b":{}}'])
    expect(calls).toEqual([])
  })

  test.each([
    ['top-level fields', ['a'], true],
    ['nested fields that are absent', ['a', 'b.x'], true],
    ['nested fields', ['a', 'b.c'], false],
  ])('gives a batch of its own bytes unless reuse was asked for: %s', (_name, paths, isView) => {
    const { batch } = asked(texts)
    const lines = batch.fields!.exclude(['a'])!
    const given = new RecordBatch({ ...batch, fields: { ...batch.fields!, exclude: () => lines } })
    const view = excludeFieldsStage(paths, { reuse: true }).apply(given)
    expect(view.bytes === lines.bytes).toBe(isView)
    const expected = textsOf(view)
    const own = excludeFieldsStage(paths).apply(given)
    lines.bytes.fill(0)
    expect(textsOf(own)).toEqual(expected)
  })
})

test.each(['', '.', 'a.', '.a', 'a..b', 'a\\', 'a\\b'])('the malformed path %j is refused', (path) => {
  expect(() => excludeFieldsStage([path])).toThrow(ConfigError)
})

test('any records without any paths equal delete and stringify of the parsed records', () => {
  fc.assert(
    fc.property(
      fc.array(documents, { maxLength: 5 }),
      paths,
      fc.boolean(),
      fc.boolean(),
      (records, paths, isLoose, reuse) => {
        const texts = records.map(print)
        const batch = isLoose ? looselyPlaced(texts) : batchOf(...texts)
        const stage = excludeFieldsStage(
          paths.map((path) => path.map((name) => name.replace(/[\\.]/g, '\\$&')).join('.')),
          { reuse },
        )
        stage.apply(batchOf('{"a":{"b":1},"":2,"emails":[{"type":3}]}')) // leaves something in the stage
        const out = stage.apply(batch)
        expect(textsOf(out).map((text) => JSON.stringify(JSON.parse(text)))).toEqual(
          texts.map((text) => JSON.stringify(without(JSON.parse(text), paths))),
        )
        if (out.isLines) {
          const lines = textsOf(out).map((text) => `${text}\n`)
          expect(
            out.bytes.toString(
              'utf8',
              out.count > 0 ? out.start(0) : 0,
              out.count > 0 ? out.end(out.count - 1) + 1 : 0,
            ),
          ).toBe(lines.join(''))
        }
        // and the same bytes where an engine helps
        expect(textsOf(stage.apply(withFields(batch)))).toEqual(textsOf(stage.apply(batch)))
      },
    ),
    { numRuns: numRuns(1000) },
  )
})

/** The model: `delete` on parsed values. */
function without(value: JsonValue, paths: readonly (readonly string[])[]): JsonValue {
  for (const path of paths) remove(value, path)
  return value
}

function remove(value: JsonValue, path: readonly string[]): void {
  if (Array.isArray(value)) {
    for (const element of value) remove(element, path)
  } else if (typeof value === 'object' && value !== null && Object.hasOwn(value, path[0]!)) {
    if (path.length === 1) delete value[path[0]!]
    else remove(value[path[0]!]!, path.slice(1))
  }
}
