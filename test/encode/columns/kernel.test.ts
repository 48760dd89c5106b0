import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { columnShredder } from '../../../src/encode/columns/column-shredder.js'
import type { Leaf, LeafColumn, LeafColumns } from '../../../src/encode/columns/leaf.js'
import {
  RecordShredder,
  type Shredder,
  type ShredderOptions,
  typescriptShredder,
} from '../../../src/encode/columns/shredder.js'
import { pageBodies } from '../../../src/encode/parquet/pages.js'
import { memberSchema } from '../../../src/schema/member.js'
import type { Field, FieldType } from '../../../src/schema/resource.js'
import { batchOf, batchWith } from '../../helpers/batch.js'
import { edgeTexts } from '../../helpers/edge-texts.js'
import { anyFields, recordSample } from '../../helpers/member-records.js'
import { wideFields, wideRecords } from '../../helpers/wide-records.js'

const runs = process.env['TRUTO_EXPORT_SOAK'] === '1' ? 20_000 : 60

function optionsOf(fields: readonly Field[], options: Partial<ShredderOptions> = {}): ShredderOptions {
  return {
    schema: { resource: 'test/any', version: 1, fields },
    hasKey: false,
    unknownFields: 'extra',
    onTypeMismatch: 'extra',
    timestampUnit: 'micros',
    timestampExcess: 'extra',
    timestampForms: 'rfc3339',
    strict: false,
    ...options,
  }
}

/** All that a group holds, copied. */
function contentsOf(group: LeafColumns, leaves: readonly Leaf[]): unknown {
  const copy = (bytes: Uint8Array | null): string | null => bytes && Buffer.from(bytes).toString('latin1')
  const { rows } = group
  const columns = leaves.map((leaf, index) => {
    const { entries, count, repetitions, definitions, values, min, max } = group.column(index)
    return {
      path: leaf.path.join('.'),
      entries,
      count,
      repetitions: copy(repetitions),
      definitions: copy(definitions),
      values: { ...values, bytes: copy(values.bytes), ...('indices' in values && { indices: [...values.indices] }) },
      min: copy(min),
      max: copy(max),
    }
  })
  return { rows, columns }
}

function bodies(pages: ReturnType<NonNullable<LeafColumn['pages']>>): [number, string][] {
  return Array.from(pages, ({ entries, bytes }) => [entries, Buffer.from(bytes).toString('latin1')])
}

/** Appends the same records, in batches that end at `cuts`, to both shredders, and expects the same of them, row group
 *  by row group. */
function expectSame(
  options: ShredderOptions,
  texts: readonly string[],
  cuts: readonly number[] = [],
  groups = 2,
): void {
  const [kernel, reference] = [columnShredder(options), typescriptShredder(options)]
  expect(kernel.constructor.name).toBe('KernelShredder')
  const keys = options.hasKey ? texts.map((_, i) => `k${i % 7}${i % 5 === 0 ? '\ud800' : ''}`) : undefined
  const ends = [...new Set([...cuts.map((cut) => cut % (texts.length + 1)), texts.length])].sort((a, b) => a - b)
  for (let group = 0; group < groups; group++) {
    let from = 0
    for (const end of ends) {
      const init = keys === undefined ? {} : { keys: keys.slice(from, end) }
      const batch = batchWith(texts.slice(from, end), init)
      for (const shredder of [kernel, reference]) shredder.append(batch, 0, batch.count)
      from = end
    }
    expect(contentsOf(kernel.group, kernel.leaves)).toEqual(contentsOf(reference.group, reference.leaves))
    // a row group has a row
    for (const pageBytes of texts.length === 0 ? [] : [100, 20_000, 1024 * 1024]) {
      kernel.leaves.forEach((_, leaf) => {
        const own = bodies(kernel.group.column(leaf).pages!(pageBytes))
        expect(own).toEqual(bodies(pageBodies(reference.group.column(leaf), pageBytes)))
      })
    }
    expect(kernel.warnings()).toEqual(reference.warnings())
    kernel.group.reset()
    reference.group.reset()
  }
  // so that the next one finds what this one has left in memory
  kernel.end()
}

const field = (name: string, type: FieldType): Field => ({ name, type })
const string: FieldType = { kind: 'string' }

describe('the kernel fills the same leaves as TypeScript', () => {
  const policies = fc.record({
    unknownFields: fc.constantFrom('extra', 'extra', 'drop'),
    onTypeMismatch: fc.constantFrom('extra', 'extra', 'null'),
    timestampUnit: fc.constantFrom('micros', 'millis', 'nanos'),
    timestampExcess: fc.constantFrom('truncate', 'extra'),
    timestampForms: fc.constantFrom('any', 'rfc3339'),
    hasKey: fc.boolean(),
  }) as fc.Arbitrary<Partial<ShredderOptions>>

  test('from records of more fields than are looked for one by one, in any order', () => {
    fc.assert(
      fc.property(wideRecords, policies, (texts, options) => {
        expectSame(optionsOf(wideFields, options), texts)
      }),
      { numRuns: runs },
    )
  })

  test.each([false, true])('from random records of random schemas, all as declared: %s', (isClean) => {
    const samples = anyFields().chain((fields) =>
      fc.tuple(
        fc.constant(fields),
        fc.array(
          recordSample(fields, { isClean }).map(({ text }) => text),
          { maxLength: 12 },
        ),
        fc.array(fc.nat(12), { maxLength: 4 }),
        policies,
      ),
    )
    fc.assert(
      fc.property(samples, ([fields, texts, cuts, options]) => {
        expectSame(optionsOf(fields, options), texts, cuts)
      }),
      { numRuns: runs },
    )
  })

  test('from date-times in every form, and in none', () => {
    const two = fc.constantFrom('00', '01', '02', '12', '19', '20', '23', '28', '30', '59', '60', '99')
    const time = fc.tuple(
      fc.constantFrom('0001', '1677', '1678', '1899', '1900', '2024', '2261', '2262', '9999'),
      fc.constantFrom('-', '-', '-', '/'),
      two,
      two,
      fc.constantFrom('T', 'T', ' ', 't', '_'),
      two,
      two,
      two,
      fc.constantFrom('', '', '.1', '.123', '.1230', '.1234567', '.123456700', '.000000001', '.1234567891', '.'),
      fc.constantFrom(
        'Z',
        'Z',
        'z',
        '',
        ' UTC',
        ' Z',
        '+01',
        '+0130',
        '-01:30',
        ' +0000',
        '+24:00',
        '+1',
        '+01:3',
        '+01:305',
      ),
    )
    const texts = time.map(([year, dash, month, day, t, hour, minute, second, fraction, zone]) => {
      return JSON.stringify(`${year}${dash}${month}-${day}${t}${hour}:${minute}:${second}${fraction}${zone}`)
    })
    const numbers = fc.oneof(
      fc.integer().map(String),
      fc.maxSafeInteger().map(String),
      fc.constantFrom(
        '0',
        '-0',
        '1.5',
        '-1.5',
        '1e9',
        '99999999999',
        '100000000000',
        '-62135596800',
        '253402300799999',
      ),
      fc.constantFrom(
        '253402300800000',
        '999999999999999999',
        '1000000000000000000',
        '9223372036854',
        '-9223372036001',
      ),
      fc.constantFrom('1700000000.123456', '1700000000.1234567', '1700000000123.5', '1700000000.0000000'),
    )
    const record = fc.oneof(texts, numbers).map((value) => `{"a":${value},"b":[${value},null]}`)
    const at: FieldType = { kind: 'timestamp' }
    const fields = [field('a', at), field('b', { kind: 'list', element: at })]
    fc.assert(
      fc.property(fc.array(record, { maxLength: 12 }), policies, (texts, options) => {
        expectSame(optionsOf(fields, options), texts)
      }),
      { numRuns: 2 * runs },
    )
  })

  test('from the empty text, whose bounds take room too', () => {
    expectSame(optionsOf([field('a', string)]), ['{"a":""}', '{"a":"\\u0000"}', '{"a":"\\u0000b","a":""}'])
  })

  test('from random members, some of which are no members', () => {
    const texts = fc.array(
      fc.boolean().chain((isClean) => recordSample(memberSchema.fields, { isClean })),
      { maxLength: 20 },
    )
    fc.assert(
      fc.property(texts, policies, (records, options) => {
        expectSame(
          optionsOf(memberSchema.fields, options),
          records.map(({ text }) => text),
        )
      }),
      { numRuns: runs / 3 },
    )
  })

  test('from edge texts, plain and escaped, as text and as JSON, also in extra', () => {
    const fields = [field('a', string), field('j', { kind: 'json' })]
    const texts = edgeTexts.flatMap((text) => {
      const plain = JSON.stringify(text)
      const escaped = `"${[...text].map((c) => (c < '\x7f' ? JSON.stringify(c).slice(1, -1) : [...Array(c.length).keys()].map((i) => `\\u${c.charCodeAt(i).toString(16).padStart(4, '0')}`).join(''))).join('')}"`
      return [plain, escaped].map((json) => `{"a":${json},"j":[${json}],"x":${json}}`)
    })
    expectSame(optionsOf(fields), texts)
  })

  test('from white space wherever it may be', () => {
    const fields = [field('a', { kind: 'list', element: { kind: 'struct', fields: [field('b', { kind: 'int64' })] } })]
    expectSame(optionsOf(fields), [
      '{ "a" : [ { "b" : 1 } , { } , null , { "b" : null , "c" : 2 } ] , "x" : { "y" : [ ] } }',
      '{\t"a"\t:\t[\t]\t}',
      '{ }',
    ])
  })

  test('from names that only an escape can spell, and from long ones', () => {
    const names = ['a":1,"b', '\\', '\n', '\ud800', 'é', 'x'.repeat(15), 'x'.repeat(16), 'x'.repeat(17), 'x'.repeat(40)]
    const texts = names.flatMap((name) => [name, `${name}z`].map((key) => `{${JSON.stringify(key)}:"v"}`))
    expectSame(optionsOf(names.map((name) => field(name, string))), [...texts, '{"a":1,"b":2}'])
  })

  test('from numbers and date-times at every edge', () => {
    const numbers = [
      ...['0', '-0', '1.0', '1E2', '-1.5e-3', '999999999999999999', '9223372036854775807', '-9223372036854775808'],
      ...[
        '9223372036854775808',
        '123456789012345',
        '1234567890123456',
        '0.1',
        '1e22',
        '1e23',
        '-0.0',
        '1e-22',
        '5e-324',
      ],
      ...['1e400', '0.000001', '100000000000000000000', '4.35', '2.2250738585072014e-308', 'null', '"1"', 'true'],
    ]
    const dates = [
      ...['2024-02-29T12:34:56Z', '2024-02-29T12:34:56.1z', '1969-12-31T23:59:59.999999Z', '0001-01-01T00:00:00Z'],
      ...[
        '9999-12-31T23:59:59.999999Z',
        '2024-02-29T00:30:00+01:00',
        '0001-01-01T00:59:59+01:00',
        '2023-02-29T00:00:00Z',
      ],
      ...['1900-02-29T00:00:00Z', '2024-04-31T00:00:00Z', '2024-01-01T00:00:00.Z', '2024-01-01T00:00:00.1234567Z'],
      ...[
        '2024-01-01T00:00:00.1234560Z',
        '2024-01-01',
        '',
        '2024-01-01T24:00:00Z',
        '2016-12-31T23:59:60Z',
        '2024-01-01T00:00:00+24:00',
      ],
    ]
    const fields = [field('n', { kind: 'int64' }), field('d', { kind: 'double' }), field('t', { kind: 'timestamp' })]
    const texts = [
      ...numbers.flatMap((n) => [`{"n":${n},"d":${n}}`, `{"d":[ ${n} ],"n":${n} }`]),
      ...dates.map((t) => `{"t":${JSON.stringify(t)}}`),
      '{"t":"\\u0032024-01-01T00:00:00Z"}',
    ]
    for (const timestampUnit of ['micros', 'millis'] as const) expectSame(optionsOf(fields, { timestampUnit }), texts)
  })
})

describe('dictionaries', () => {
  const strings = [field('a', string), field('l', { kind: 'list', element: { kind: 'int64' } })]
  const texts = (count: number, distinct: number, length = 0): string[] =>
    Array.from(
      { length: count },
      (_, i) => `{"a":"${String(i % distinct).padEnd(length, 'x')}","l":[${i % distinct},${i}]}`,
    )

  test.each([
    ['grow through many sizes', texts(9000, 3000)],
    ['are given up at once where all is distinct', texts(5000, 5000)],
    ['are given up when they are too many', texts(16_500, 16_500).flatMap((text) => [text, text])],
    ['are given up when they are too long', texts(2000, 700, 2000)],
    ['are given up for one long value', [...texts(10, 2), `{"a":"${'y'.repeat(8193)}"}`, ...texts(10, 2)]],
    ['keep a value of the greatest length', [...texts(10, 2), ...Array(2).fill(`{"a":"${'y'.repeat(8192)}"}`)]],
    ['do not pay for few values', texts(3, 3)],
  ])('%s', (_name, records) => expectSame(optionsOf(strings), records, [100, 1111], 1))

  test('forget what a record brought that is taken back', () => {
    // each of these ends with a field inside that is not declared, so that the kernel has taken all before it
    const fields = [field('a', string), field('s', { kind: 'struct', fields: [field('b', string)] })]
    const records = Array.from({ length: 3000 }, (_, i) =>
      i % 3 === 0 ? `{"a":"${i}","s":{"b":"${i % 50}","x":1}}` : `{"a":"${i % 700}","s":{"b":"${(i * 7) % 900}"}}`,
    )
    expectSame(optionsOf(fields), records)
  })

  test('from values that repeat, and from nulls, in runs of every length', () => {
    const runs = fc.array(
      fc.tuple(
        fc.nat(5),
        fc.oneof(fc.constantFrom(7, 8, 9, 16), fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 40 })),
      ),
    )
    fc.assert(
      fc.property(runs, (lengths) => {
        const texts = lengths.flatMap(([value, length]) =>
          Array<string>(length).fill(`{"a":"${value}"${value % 2 === 0 ? '' : ',"b":true'}}`),
        )
        expectSame(optionsOf([field('a', string), field('b', { kind: 'boolean' })]), texts, [], 1)
      }),
      { numRuns: 400 },
    )
  })

  test.each([1, 2, 3, 200, 257, 5000, 16384])(
    'from values of which %i are distinct, and of runs of eight',
    (distinct) => {
      const values = Array.from(
        { length: 20_001 },
        (_, i) => (i < distinct || i % 50 >= 9 ? i : i - (i % 9)) % distinct,
      )
      const texts = [...values, ...values].map((value) => `{"a":"${value}"}`)
      expectSame(optionsOf([field('a', string)]), texts, [], 1)
    },
  )

  test('hold one record that has more distinct values than indices can tell', () => {
    const values = Array.from({ length: 100_000 }, (_, i) => i)
    const long = `{"l":[${values.join(',')}]}`
    expect(long.length).toBeGreaterThan(512 * 1024)
    expectSame(optionsOf(strings), [long, ...texts(5, 2)], [], 1)
  })
})

test('what a server sends beside its schema is no work for TypeScript', () => {
  const append = vi.spyOn(RecordShredder.prototype, 'append')
  const shredder = columnShredder(
    optionsOf([
      field('a', string),
      field('t', { kind: 'timestamp' }),
      field('l', { kind: 'list', element: { kind: 'struct', fields: [field('b', { kind: 'boolean' })] } }),
    ]),
  )
  const records = [
    '{"l":[{"b":1,"c":[2]},7],"x":{"y":"\\ud83d\\ude00"},"t":"soon","a":{}}',
    '{"a":"\\u00e9\\n","t":"2024-01-01T00:00:00+01:00"}',
  ]
  shredder.append(batchOf(...records), 0, 2)
  expect(append).not.toHaveBeenCalled()
  expect(Buffer.from(shredder.group.column(3).values.bytes).toString('utf8', 4)).toBe(
    '{"x":{"y":"\\ud83d\\ude00"},"a":{},"t":"soon","l":[{"b":1,"c":[2]},7]}',
  )
  shredder.append(batchOf('{"a":"b","a":"c"}'), 0, 1)
  expect(append).toHaveBeenCalledTimes(1)
  append.mockRestore()
})

test('nor are keys beside it that are alike', () => {
  const append = vi.spyOn(RecordShredder.prototype, 'append')
  const shredder = columnShredder(optionsOf([field('a', string)]))
  const digits = Array.from({ length: 10 }, (_, i) => i)
  const keys = ['addressN_streetM', 'NM', 'nameNM', 'a_rather_long_name_N_of_a_field_M']
  const names = keys.flatMap((key) =>
    digits.flatMap((n) => digits.map((m) => key.replace('N', String(n)).replace('M', String(m)))),
  )
  shredder.append(batchOf(`{${names.map((name) => `"${name}":1`).join(',')}}`), 0, 1)
  expect(append).not.toHaveBeenCalled()
  append.mockRestore()
})

describe('an instance of the kernel', () => {
  const options = optionsOf([field('a', string), field('l', { kind: 'list', element: string })])
  const records = Array.from({ length: 2000 }, (_, i) => `{"a":"${i}","l":["${'v'.repeat(i % 90)}"],"x":{"y":${i}}}`)

  /** All instances that were made while `run` ran. */
  function instancesIn(run: () => void): { memory: WebAssembly.Memory }[] {
    const made: { memory: WebAssembly.Memory }[] = []
    const { Instance } = WebAssembly
    WebAssembly.Instance = new Proxy(Instance, {
      construct(target, init: ConstructorParameters<typeof Instance>) {
        const instance = new target(...init)
        made.push(instance.exports as unknown as { memory: WebAssembly.Memory })
        return instance
      },
    })
    try {
      run()
    } finally {
      WebAssembly.Instance = Instance
    }
    return made
  }

  function shred(texts: readonly string[]): Shredder {
    const shredder = columnShredder(options)
    const batch = batchOf(...texts)
    shredder.append(batch, 0, batch.count)
    return shredder
  }

  test('goes from one shredder to the next, and takes no more memory there', () => {
    const held = columnShredder(options) // takes the one that may have been kept before
    const [own, ...more] = instancesIn(() => {
      shred(records).end()
      shred(records).end()
    })
    expect(more).toEqual([])
    const size = own!.memory.buffer.byteLength
    expect(
      instancesIn(() => {
        for (let i = 0; i < 10; i++) shred(records).end()
      }),
    ).toEqual([])
    expect(own!.memory.buffer.byteLength).toBe(size)
    held.end()
  })

  test('is of one shredder at a time, and of none that has ended', () => {
    const [a, b] = [columnShredder(options), columnShredder(options)]
    a.append(batchOf('{"a":"1"}'), 0, 1)
    b.append(batchOf('{"a":"2"}', '{"a":"3"}'), 0, 2)
    expect([a.group.rows, b.group.rows]).toEqual([1, 2])
    a.end()
    a.end()
    const [c, d] = [columnShredder(options), columnShredder(options)]
    c.append(batchOf('{"a":"4"}'), 0, 1)
    d.append(batchOf('{"a":"5"}'), 0, 1)
    const values = [b, c, d].map(({ group }) => Buffer.from(group.column(0).values.bytes).toString('latin1'))
    expect(values).toEqual(['\x01\0\0\x002\x01\0\0\x003', '\x01\0\0\x004', '\x01\0\0\x005'])
    expect(() => a.append(batchOf('{}'), 0, 1)).toThrow('has ended')
  })

  test('is not kept when it has taken much memory', () => {
    const held = columnShredder(options)
    const large = columnShredder(options)
    const batch = batchOf(`{"a":"${'w'.repeat(200_000)}"}`)
    for (let i = 0; i < 400; i++) large.append(batch, 0, 1)
    large.end()
    expect(instancesIn(() => columnShredder(options).end())).toHaveLength(1)
    held.end()
  })
})

test('without address space for its memory, TypeScript takes its place', () => {
  const options = optionsOf([field('a', string)])
  const held = columnShredder(options) // takes the instance that may have been kept before
  const { Instance } = WebAssembly
  const failWith = (error: Error): void => {
    WebAssembly.Instance = new Proxy(Instance, {
      construct() {
        throw error
      },
    })
  }
  try {
    failWith(new RangeError('WebAssembly.Instance(): Out of memory: Cannot allocate Wasm memory for new instance'))
    const shredder = columnShredder(options)
    shredder.append(batchOf('{"a":"b"}'), 0, 1)
    expect(shredder.constructor.name).not.toBe('KernelShredder')
    expect(shredder.group.rows).toBe(1)
    failWith(new TypeError('a bug'))
    expect(() => columnShredder(options)).toThrow('a bug')
  } finally {
    WebAssembly.Instance = Instance
  }
  held.end()
})

test('bounds of a record that is taken back do not stay', () => {
  const fields = [field('a', string), field('n', { kind: 'int64' }), field('z', { kind: 'boolean' })]
  expectSame(optionsOf(fields, { onTypeMismatch: 'null' }), [
    '{"a":"m","n":5}',
    '{"a":"zzz","n":99,"a":"n"}',
    '{"a":"","n":-99,"n":4}',
    '{"a":"mm","z":false}',
    '{"a":"z","a":"q","z":true,"z":"no"}',
  ])
})

test('records before one that is taken back stay as they were, and what they dropped is counted once', () => {
  const fields = [field('a', string), field('n', { kind: 'int64' }), field('p', string), field('j', { kind: 'json' })]
  const records = Array.from({ length: 6000 }, (_, i) => {
    const members = [`"a":"${i % 4500}"`, `"n":${i % 3 === 0 ? '"no"' : i}`, `"p":"${'p'.repeat(i % 90)}"`]
    if (i % 5 === 0) members.push(`"x${i}":[${i}]`)
    members.push(`"j":{"i":"${i}"}`)
    // a key twice is left to TypeScript
    if (i % 997 === 996) members.push('"a":"twice"')
    return `{${members.join(',')}}`
  })
  for (const policy of ['extra', 'drop'] as const) {
    expectSame(optionsOf(fields, { unknownFields: policy, onTypeMismatch: 'null' }), records, [2500])
  }
})

test('many levels and long values go from chunk to chunk', () => {
  const fields = [field('l', { kind: 'list', element: string }), field('j', { kind: 'json' })]
  const records = Array.from({ length: 300 }, (_, i) => {
    const list = Array.from({ length: (i * 37) % 500 }, (_, k) => `"${'v'.repeat((i * k) % 90)}${i * k}"`)
    return `{"l":[${list.join(',')}],"j":{"t":"${'w'.repeat((i * 997) % 60_000)}"}${i % 11 === 0 ? ',"l":null' : ''}}`
  })
  expectSame(optionsOf(fields), records, [50, 51, 150])
})

test('records longer than the window are shredded too', () => {
  const fields = [field('a', string)]
  const long = `{"a":"${'é'.repeat(300_000)}","x":"${'y'.repeat(300_000)}"}`
  expectSame(optionsOf(fields), ['{"a":"1"}', long, '{"a":"2"}', long])
})

test('records longer than the window are no work for TypeScript, unless they are very long', () => {
  const list: FieldType = { kind: 'list', element: { kind: 'struct', fields: [field('b', string)] } }
  const fields = [field('a', string), field('l', list)]
  const long = `{"l":[${'{"b":"\\u00e9"},{},{"b":null,"c":1},'.repeat(20_000)}7],"x":[${'"y",'.repeat(1000)}0],"a":"z"}`
  expectSame(optionsOf(fields, { unknownFields: 'drop', onTypeMismatch: 'null' }), [
    '{"a":"1"}',
    long,
    '{"l":[]}',
    long,
  ])

  const append = vi.spyOn(RecordShredder.prototype, 'append')
  const shredder = columnShredder(optionsOf(fields, { unknownFields: 'drop', onTypeMismatch: 'null' }))
  for (const [text, times] of [
    [long, 0],
    [`{"a":"${'w'.repeat(34 * 1024 * 1024)}"}`, 1],
    [long, 1],
  ] as const) {
    shredder.append(batchOf(text), 0, 1)
    expect(append).toHaveBeenCalledTimes(times)
  }
  expect([shredder.group.rows, shredder.group.column(1).entries]).toEqual([3, 2 * 60_001 + 1])
  append.mockRestore()
})

test('a long record that is taken back leaves nothing behind', () => {
  const fields = [field('l', { kind: 'list', element: string }), field('a', string)]
  const list = Array.from({ length: 60_000 }, (_, i) => `"\\u0061${i}"`).join(',')
  const taken = `{"l":[${list}],"a":"1","x":"${'x'.repeat(70_000)}","a":"2"}`
  expectSame(optionsOf(fields), [taken, '{"l":["\\u0061","a7"]}', `{"l":[${list}]}`, taken, '{"a":"\\n"}'])
})

test('a policy that asks for an error gets it, with its position', () => {
  const fields = [field('a', string)]
  for (const [options, text] of [
    [{ unknownFields: 'error' }, '{"x":1}'],
    [{ onTypeMismatch: 'error' }, '{"a":1}'],
    [{ strict: true }, '{"a":"\\ud800"}'],
  ] as const) {
    const errors = [columnShredder, typescriptShredder].map((open) => {
      const batch = batchOf('{"a":"b"}', text)
      try {
        open(optionsOf(fields, options)).append(batch, 0, batch.count)
      } catch (error) {
        return error
      }
      return undefined
    })
    expect(errors[0]).toMatchObject({ recordIndex: 1 })
    expect(errors[0]).toEqual(errors[1])
  }
})
