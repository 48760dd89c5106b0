import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ConfigError, DataError, type ExportError } from '../../src/errors.js'
import { RecordBatch } from '../../src/record.js'
import { editFieldsStage } from '../../src/transform/edit-fields.js'
import type { FieldEdits, Redaction } from '../../src/transform/field-edits.js'
import { batchOf, batchWith } from '../helpers/batch.js'
import { withFields } from '../helpers/record-fields.js'
import { documents, looselyPlaced, type Node, names, numRuns, type ObjectNode, paths, print } from './records.js'

const redactKey = 'a key of the tests'
const hmac = (text: string): string => createHmac('sha256', redactKey).update(text).digest('hex')
const textsOf = (batch: RecordBatch): string[] => Array.from({ length: batch.count }, (_, index) => batch.text(index))
const failureOf = (call: () => unknown): ExportError => {
  try {
    call()
  } catch (error) {
    return error as ExportError
  }
  throw new Error('it did not fail')
}

/** The edited texts, held to be the same with and without an engine's help, alone and between neighbours. */
function edited(edits: FieldEdits, text: string): string {
  const stage = editFieldsStage(edits, { reuse: true, redactKey })
  const [alone] = textsOf(stage.apply(batchOf(text)))
  const batch = batchOf('{"z":0}', text, '{"z":1}')
  expect(textsOf(stage.apply(batch))[1]).toBe(alone)
  expect(textsOf(stage.apply(looselyPlaced([text, text])))).toEqual([alone, alone])
  expect(textsOf(stage.apply(withFields(batch)))).toEqual(textsOf(stage.apply(batch)))
  return alone!
}

describe('select keeps the named fields alone', () => {
  const rows: [string, string[], string, string][] = [
    ['first field', ['a'], '{"a":1,"b":2,"c":3}', '{"a":1}'],
    ['last field', ['c'], '{"a":1,"b":2,"c":3}', '{"c":3}'],
    ['two fields, in the order of the record', ['c', 'a'], '{"a":1,"b":2,"c":3,"d":4}', '{"a":1,"c":3}'],
    ['all fields', ['a', 'b'], '{ "a" : 1 , "b" : 2 }', '{ "a" : 1 , "b" : 2 }'],
    ['no field', ['x'], '{ "a" : 1 , "b" : 2 }', '{}'],
    ['fields of an empty record', ['a'], '{ }', '{ }'],
    ['every copy of a repeated key', ['a'], '{"a":1,"b":2,"a":3}', '{"a":1,"a":3}'],
    ['key spelled with escapes', ['name'], String.raw`{"n\u0061me":1,"nam":3}`, String.raw`{"n\u0061me":1}`],
    ['__proto__', ['__proto__'], '{"__proto__":{"x":1},"a":1}', '{"__proto__":{"x":1}}'],
    ['nested field', ['a.b'], '{"a":{"b":1,"c":2},"b":3}', '{"a":{"b":1}}'],
    [
      'nested fields that share their beginning',
      ['a.b', 'c', 'a.d'],
      '{"a":{"b":1,"c":2,"d":3},"c":4}',
      '{"a":{"b":1,"d":3},"c":4}',
    ],
    ['nested field that is not there', ['a.x'], '{"a":{"b":1}}', '{"a":{}}'],
    [
      'nested field of every element',
      ['emails.email'],
      '{"id":1,"emails":[{"type":1,"email":2},{"email":3}]}',
      '{"emails":[{"email":2},{"email":3}]}',
    ],
    [
      'nested field through arrays of arrays',
      ['a.b'],
      '{"a":[[{"b":1,"c":2}],[[{"c":3}]]]}',
      '{"a":[[{"b":1}],[[{}]]]}',
    ],
    ['values that the path does not reach go', ['a.b'], '{"a":"secret","c":1}', '{}'],
    [
      'elements that the path does not reach go',
      ['a.b'],
      '{"a":[1, {"b":2} ,"x",true,{"b":3}]}',
      '{"a":[ {"b":2} ,{"b":3}]}',
    ],
    ['a list of only such elements', ['a.b'], '{"a":[1, 2]}', '{"a":[]}'],
    [
      'null stays, in lists too',
      ['a.b', 'c.d'],
      '{"a":null,"c":[null,{"d":1,"e":2}]}',
      '{"a":null,"c":[null,{"d":1}]}',
    ],
    ['a field and a path below it', ['a.b', 'a'], '{"a":{"b":1,"c":2}}', '{"a":{"b":1,"c":2}}'],
    ['a path below a field and the field', ['a', 'a.b'], '{"a":{"b":1,"c":2}}', '{"a":{"b":1,"c":2}}'],
    ['name with a dot', ['a\\.b'], '{"a.b":1,"a":{"b":2}}', '{"a.b":1}'],
    [
      'digits and escapes of what stays',
      ['b'],
      String.raw`{"a":1,"b":[1.50e+400,"\u0041\/"]}`,
      String.raw`{"b":[1.50e+400,"\u0041\/"]}`,
    ],
  ]
  test.each(rows)('%s', (_name, select, text, expected) => {
    expect(edited({ select }, text)).toBe(expected)
  })

  test('and exclude takes from them', () => {
    expect(edited({ select: ['a', 'b'], exclude: ['a.x', 'b', 'c'] }, '{"a":{"x":1,"y":2},"b":1,"c":2}')).toBe(
      '{"a":{"y":2}}',
    )
  })

  test('an engine is asked for the fields that stay, and for nothing inside of them', () => {
    const batch = withFields(batchOf('{"a":{"b":1,"c":2},"d":3,"e":4}'))
    const asked: (readonly string[])[] = []
    const select = (names: readonly string[]) => {
      asked.push(names)
      return batch.fields!.select(names)
    }
    const stage = editFieldsStage({ select: ['a.b', 'd', 'e'], exclude: ['e'] })
    expect(stage.readsFields).toBe(true)
    expect(textsOf(stage.apply(new RecordBatch({ ...batch, fields: { ...batch.fields!, select } })))).toEqual([
      '{"a":{"b":1},"d":3}',
    ])
    expect(asked).toEqual([['a', 'd']])
  })
})

describe('redact puts something else in place of values', () => {
  const name = hmac('Ada')
  const rows: [string, FieldEdits['redact'], string, string][] = [
    ['hash of a string', [['a', 'hash']], '{"a":"Ada","b":"Ada"}', `{"a":"${name}","b":"Ada"}`],
    [
      'hash of a string, however it is spelled',
      [['a', 'hash']],
      String.raw`{"a" : "\u0041d\u0061" }`,
      `{"a" : "${name}" }`,
    ],
    ['hash of the empty string', [['a', 'hash']], '{"a":""}', `{"a":"${hmac('')}"}`],
    ['hash of text beyond ASCII', [['a', 'hash']], String.raw`{"a":"\ud83d\ude00ü"}`, `{"a":"${hmac('😀ü')}"}`],
    ['hash of a number, by its digits', [['a', 'hash']], '{"a":1.50,"b":1}', `{"a":"${hmac('1.50')}","b":1}`],
    ['hash of a boolean', [['a', 'hash']], '{"a":true}', `{"a":"${hmac('true')}"}`],
    [
      'null stays null',
      [
        ['a', 'hash'],
        ['b', 'mask'],
      ],
      '{"a":null,"b":null}',
      '{"a":null,"b":null}',
    ],
    [
      'mask',
      [
        ['a', 'mask'],
        ['b', 'mask'],
        ['c', 'mask'],
      ],
      '{"a":"Ada","b":12,"c":false}',
      '{"a":"***","b":"***","c":"***"}',
    ],
    [
      'values in lists',
      [['a', 'hash']],
      '{"a":["Ada",null,["Ada"]],"b":1}',
      `{"a":["${name}",null,["${name}"]],"b":1}`,
    ],
    [
      'nested fields of every element',
      [['e.n', 'hash']],
      '{"e":[{"n":"Ada"},{"m":1}]}',
      `{"e":[{"n":"${name}"},{"m":1}]}`,
    ],
    ['a text where an object was expected', [['e.n', 'hash']], '{"e":"Ada","n":"Ada"}', `{"e":"${name}","n":"Ada"}`],
    [
      'values in a list where objects were expected',
      [['e.n', 'mask']],
      '{"e":["Ada",7,true,null,["Ada"],{"n":1,"m":2}]}',
      '{"e":["***","***","***",null,["***"],{"n":"***","m":2}]}',
    ],
    [
      'a text one level above, where objects were expected in objects',
      [['e.n.m', 'hash']],
      '{"e":{"n":"Ada","o":1}}',
      `{"e":{"n":"${name}","o":1}}`,
    ],
    [
      'a text where objects with several fields to redact were expected, in the strictest way',
      [
        ['e.n', 'mask'],
        ['e.m', 'hash'],
      ],
      '{"e":"Ada"}',
      '{"e":"***"}',
    ],
    [
      'every copy of a repeated key',
      [['a', 'mask']],
      String.raw`{"a":1,"\u0061":2}`,
      String.raw`{"a":"***","\u0061":"***"}`,
    ],
    ['empty lists', [['a', 'hash']], '{"a":[ ]}', '{"a":[ ]}'],
  ]
  test.each(rows)('%s', (_name, redact, text, expected) => {
    expect(edited({ redact }, text)).toBe(expected)
  })

  test.each([
    ['a text', '{"e":"Ada","m":1}', '{"m":1}'],
    ['texts in a list', '{"e":["Ada",{"n":1,"m":2},null,"Bob"]}', '{"e":[{"m":2},null]}'],
    ['a text above', '{"e":{"n":1},"f":{"g":"Ada"}}', '{"e":{},"f":{}}'],
    ['null', '{"e":null,"f":{"g":null}}', '{"e":null,"f":{"g":null}}'],
  ])('what is dropped inside of an object is dropped where %s stands in its place', (_name, text, expected) => {
    const dropped = ['e.n', 'f.g.h']
    expect(edited({ exclude: dropped, dropped }, text)).toBe(expected)
    // also where a field is to go for two reasons
    expect(edited({ exclude: ['e.n', ...dropped], dropped }, text)).toBe(expected)
  })

  test('values in the place of an object are counted by field, and their fields are met', () => {
    const edits: FieldEdits = { exclude: ['f.g'], dropped: ['f.g'], redact: [['e.n', 'mask']] }
    const stage = editFieldsStage(edits)
    stage.apply(batchOf('{"e":"Ada","f":1}', '{"e":["Ada",1,null]}', '{"e":{"n":"Ada"},"f":[2,{"g":1}]}'))
    expect(stage.warnings()).toMatchObject([{ code: 'redacted-whole', count: 5, fields: { e: 3, f: 2 } }])
  })

  test.each(['hash', 'mask'] as const)('an object to %s is an error with its position', (how) => {
    const stage = editFieldsStage({ redact: [['a', how]] }, { redactKey })
    const batch = batchWith(['{"a":1}', '{"a":[{"b":"Ada"}]}'], { page: 3, firstRecordIndex: 7 })
    expect(failureOf(() => stage.apply(batch))).toMatchObject({
      code: 'ERR_REDACT_TYPE',
      message: `the field a to ${how} holds an object`,
      page: 3,
      recordIndex: 8,
    })
  })

  test('hashes need a key, and a long one; masks need none', () => {
    const redact: FieldEdits['redact'] = [['a.b', 'hash']]
    expect(failureOf(() => editFieldsStage({ redact })).code).toBe('ERR_OPTION_MISSING')
    expect(failureOf(() => editFieldsStage({ redact }, { redactKey: '' })).code).toBe('ERR_OPTION_MISSING')
    for (const weak of ['short', ' '.repeat(32), Buffer.alloc(40, 0xff), Buffer.from('fifteen bytes..')]) {
      expect(failureOf(() => editFieldsStage({ redact }, { redactKey: weak })).code).toBe('ERR_OPTION_INVALID')
    }
    editFieldsStage({ redact }, { redactKey: Buffer.from('sixteen bytes...') })
    editFieldsStage({ redact: [['a', 'mask']] })
  })

  test('what is longer than it was makes the output grow, over many records', () => {
    const texts = Array.from({ length: 500 }, (_, i) => `{"a":${i},"b":"${'x'.repeat(i % 7)}"}`)
    const stage = editFieldsStage({ redact: [['a', 'hash']] }, { redactKey })
    const expected = texts.map((text, i) => text.replace(/:\d+/, `:"${hmac(String(i))}"`))
    expect(textsOf(stage.apply(batchOf(...texts)))).toEqual(expected)
    expect(textsOf(stage.apply(looselyPlaced(texts)))).toEqual(expected)
  })
})

describe('rename gives a field another name in its place', () => {
  const rows: [string, FieldEdits['rename'], string, string][] = [
    ['field', [['b', 'x']], '{"a":1, "b" : 2,"c":3}', '{"a":1, "x" : 2,"c":3}'],
    [
      'nested field of every element',
      [['e.n', 'm']],
      '{"e":[{"n":1},{"n":2,"o":3},4]}',
      '{"e":[{"m":1},{"m":2,"o":3},4]}',
    ],
    [
      'a field and one inside of it, by its old name',
      [
        ['a', 'x'],
        ['a.b', 'y'],
      ],
      '{"a":{"b":1}}',
      '{"x":{"y":1}}',
    ],
    [
      'two fields that change names',
      [
        ['a', 'b'],
        ['b', 'a'],
      ],
      '{"a":1,"b":2}',
      '{"b":1,"a":2}',
    ],
    ['every copy', [['a', 'x']], String.raw`{"a":1,"\u0061":2}`, '{"x":1,"x":2}'],
    ['a name that needs escapes', [['a', 'x"\n\ud800']], '{"a":1}', String.raw`{"x\"\n\ud800":1}`],
    ['a name that another had', [['a', 'b']], '{"a":1}', '{"b":1}'],
    ['the same name', [['a', 'a']], '{"a":1}', '{"a":1}'],
    ['the other field alone', [['a', 'b']], '{"b":1}', '{"b":1}'],
  ]
  test.each(rows)('%s', (_name, rename, text, expected) => {
    expect(edited({ rename }, text)).toBe(expected)
  })

  test('a name that is taken in the record is an error with its position, whichever comes first', () => {
    const stage = editFieldsStage({ rename: [['a', 'b']] })
    for (const text of ['{"a":1,"b":2}', '{"b":2,"a":1}', String.raw`{"\u0062":2,"a":1}`]) {
      const batch = batchOf('{"b":1}', '{"a":1}', text)
      expect(failureOf(() => stage.apply(batch))).toMatchObject({ code: 'ERR_RENAME_CONFLICT', recordIndex: 2 })
    }
    expect(edited({ rename: [['a', 'b']], exclude: ['b'] }, '{"a":1,"b":2}')).toBe('{"b":1}')
    expect(edited({ rename: [['a', 'b']], select: ['a'] }, '{"a":1,"b":2}')).toBe('{"b":1}')
  })

  test.each([
    [
      {
        rename: [
          ['a', 'x'],
          ['b', 'x'],
        ],
      },
    ],
    [
      {
        rename: [
          ['a', 'x'],
          ['a', 'y'],
        ],
      },
    ],
    [{ rename: [['a', 'b']], select: ['a', 'b'] }],
    [{ rename: [['a', 'b']], redact: [['b', 'mask']] }],
    [
      {
        redact: [
          ['b', 'mask'],
          ['b', 'hash'],
        ],
      },
    ],
    [
      {
        rename: [
          ['c.a', 'x'],
          ['c.b', 'x'],
        ],
      },
    ],
  ] as [FieldEdits][])('%j is refused', (edits) => {
    expect(() => editFieldsStage(edits, { redactKey })).toThrow(ConfigError)
  })
})

test('all edits of any records are those of the model', () => {
  const escaped = (path: readonly string[]): string => path.map((name) => name.replace(/[\\.]/g, '\\$&')).join('.')
  const path = fc.array(names, { minLength: 1, maxLength: 3 })
  let [compared, failed] = [0, 0]
  fc.assert(
    fc.property(
      fc.array(documents, { maxLength: 5 }),
      fc.option(paths, { nil: undefined }),
      fc.array(path, { maxLength: 2 }),
      fc.array(fc.tuple(path, fc.constantFrom<Redaction>('hash', 'mask')), { maxLength: 1 }),
      fc.array(path, { maxLength: 2 }),
      fc.array(fc.tuple(path, names), { maxLength: 2 }),
      fc.boolean(),
      (records, select, exclude, redact, dropped, rename, isLoose) => {
        const edits: FieldEdits = {
          select: select?.map(escaped),
          exclude: [...exclude, ...dropped].map(escaped),
          dropped: dropped.map(escaped),
          redact: redact.map(([path, how]) => [escaped(path), how]),
          rename: rename.map(([path, name]) => [escaped(path), name]),
        }
        let stage: ReturnType<typeof editFieldsStage>
        try {
          stage = editFieldsStage(edits, { reuse: true, redactKey })
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigError)
          return
        }
        const texts = records.map(print)
        const batch = isLoose ? looselyPlaced(texts) : batchOf(...texts)
        const expected = (): unknown[] =>
          records.map((record) => JSON.parse(print(model(record, { select, exclude, redact, dropped, rename }))))
        let wanted: unknown[]
        try {
          wanted = expected()
        } catch {
          failed++
          expect(() => stage.apply(batch)).toThrow(DataError)
          return
        }
        compared++
        const out = stage.apply(batch)
        expect(textsOf(out).map((text) => JSON.parse(text))).toEqual(wanted)
        expect(textsOf(stage.apply(withFields(batch)))).toEqual(textsOf(stage.apply(batch)))
      },
    ),
    { numRuns: numRuns(500) },
  )
  expect(Math.min(compared, failed)).toBeGreaterThan(0)
})

interface ModelEdits {
  select: string[][] | undefined
  exclude: string[][]
  redact: [string[], Redaction][]
  dropped: string[][]
  rename: [string[], string][]
}

/** One edit after the other on trees of names and texts. */
function model(record: ObjectNode, { select, exclude, redact, dropped, rename }: ModelEdits): Node {
  let result: Node = record
  if (select !== undefined) result = selected(result, select)
  for (const path of exclude) result = mapAt(result, path, () => null)
  const rules = [...redact, ...dropped.map((path): Rule => [path, 'drop'])]
  return renamed(hidden(result, rules)!, rename)
}

type Rule = [path: string[], how: Redaction | 'drop']

/** Null where the value goes. A scalar where an object with fields to redact was expected is redacted by the strictest
 *  rule. */
function hidden(node: Node, rules: Rule[]): Node | null {
  if (rules.length === 0) return node
  const own = rules.find(([path]) => path.length === 0)
  if (rules.some(([path, how]) => path.length === 0 && how === 'drop')) return null
  if (node.kind === 'array')
    return { ...node, elements: node.elements.flatMap((element) => hidden(element, rules) ?? []) }
  if (own !== undefined) return redacted(node, own[1] as Redaction)
  if (node.kind === 'scalar') {
    const how = (['drop', 'mask', 'hash'] as const).find((way) => rules.some(([, other]) => other === way))!
    if (node.text === 'null') return node
    return how === 'drop' ? null : redacted(node, how)
  }
  const members = node.members.flatMap((member): Member[] => {
    const inside = rules.filter(([[first]]) => first === member.name).map(([[, ...rest], how]): Rule => [rest, how])
    const value = hidden(member.value, inside)
    return value === null ? [] : [{ ...member, value }]
  })
  return { ...node, members }
}

type Member = ObjectNode['members'][number]

function selected(node: Node, paths: string[][]): Node {
  if (node.kind === 'array') {
    const reached = node.elements.filter((element) => element.kind !== 'scalar' || element.text === 'null')
    return { ...node, elements: reached.map((element) => selected(element, paths)) }
  }
  if (node.kind === 'scalar') return node
  const members = node.members.flatMap((member): Member[] => {
    const rest = paths.filter(([first]) => first === member.name).map((path) => path.slice(1))
    if (rest.some((path) => path.length === 0)) return [member]
    const { value } = member
    if (rest.length === 0 || (value.kind === 'scalar' && value.text !== 'null')) return []
    return [{ ...member, value: selected(value, rest) }]
  })
  return { ...node, members }
}

function mapAt(node: Node, [name, ...rest]: string[], map: (member: Member) => Member | null): Node {
  if (node.kind === 'array')
    return { ...node, elements: node.elements.map((element) => mapAt(element, [name!, ...rest], map)) }
  if (node.kind === 'scalar') return node
  const members = node.members.flatMap((member) => {
    if (member.name !== name) return [member]
    return rest.length === 0 ? (map(member) ?? []) : [{ ...member, value: mapAt(member.value, rest, map) }]
  })
  return { ...node, members }
}

function redacted(node: Node, how: Redaction): Node {
  if (node.kind === 'array') return { ...node, elements: node.elements.map((element) => redacted(element, how)) }
  if (node.kind === 'object') throw new Error('an object')
  if (node.text === 'null') return node
  const text = node.text.startsWith('"') ? (JSON.parse(node.text) as string) : node.text
  return { ...node, text: how === 'mask' ? '"***"' : `"${hmac(text)}"` }
}

function renamed(node: Node, rename: [string[], string][]): Node {
  if (node.kind === 'array') return { ...node, elements: node.elements.map((element) => renamed(element, rename)) }
  if (node.kind === 'scalar') return node
  const before = new Map<string, string>()
  const members = node.members.map((member) => {
    const inside = rename.filter(([path]) => path[0] === member.name && path.length > 1)
    const name = rename.find(([path]) => path.length === 1 && path[0] === member.name)?.[1] ?? member.name
    if ((before.get(name) ?? member.name) !== member.name) throw new Error('a conflict')
    before.set(name, member.name)
    const value = renamed(
      member.value,
      inside.map(([path, name]): [string[], string] => [path.slice(1), name]),
    )
    return { ...member, name, value }
  })
  return { ...node, members }
}
