import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeQuery, parseQueryArguments, type QueryValue } from '../../src/http/query.js'

const runs = process.env['TRUTO_EXPORT_SOAK'] === '1' ? 20_000 : 300

/** What a server sees: names and values, decoded, in order. */
const seen = (query: string): [string, string][] => [...new URLSearchParams(query)]

test.each<[string, { [name: string]: QueryValue }, string]>([
  ['a string', { a: 'b' }, 'a=b'],
  ['numbers and booleans', { n: 1.5, t: true, f: false, big: 12n }, 'n=1.5&t=true&f=false&big=12'],
  ['a date', { at: new Date(0) }, 'at=1970-01-01T00%3A00%3A00.000Z'],
  ['null as nothing, undefined not at all', { a: null, b: undefined }, 'a='],
  ['an object', { foo: { bar: 'v' } }, 'foo%5Bbar%5D=v'],
  ['objects in objects', { foo: { a: { b: 'v' } } }, 'foo%5Ba%5D%5Bb%5D=v'],
  ['an array', { foo: ['a', 'b'] }, 'foo%5B%5D=a&foo%5B%5D=b'],
  ['an array of objects', { foo: [{ k: 'v' }, { k: 'w' }] }, 'foo%5B%5D%5Bk%5D=v&foo%5B%5D%5Bk%5D=w'],
  ['empty containers not at all', { a: [], b: {}, c: 'd' }, 'c=d'],
  ['a key with a dollar', { remote_query: { $top: 5 } }, 'remote_query%5B%24top%5D=5'],
  ['a name in bracket form', { 'channel[id]': 'C1' }, 'channel%5Bid%5D=C1'],
  ['characters with a meaning', { a: '+/=&#% []é😀' }, 'a=%2B%2F%3D%26%23%25%20%5B%5D%C3%A9%F0%9F%98%80'],
])('encodes %s', (_, query, expected) => {
  expect(encodeQuery(query)).toBe(expected)
})

test.each<[string, QueryValue]>([
  ['NaN', Number.NaN],
  ['an infinite number', Number.POSITIVE_INFINITY],
  ['an invalid date', new Date(Number.NaN)],
  ['half of a surrogate pair', 'a\ud800'],
  ['an object with a class', new Map() as unknown as QueryValue],
  ['a function', (() => 1) as unknown as QueryValue],
])('refuses %s, which has no form in a query', (_, value) => {
  expect(() => encodeQuery({ a: value })).toThrow(expect.objectContaining({ code: 'ERR_OPTION_INVALID' }))
})

test('refuses an object that contains itself instead of overflowing the stack', () => {
  const loop: { self?: QueryValue } = {}
  loop.self = loop as QueryValue
  expect(() => encodeQuery({ loop: loop as QueryValue })).toThrow(/nested deeper/)
})

test('any text comes back exactly from the other side, as name, key and value', () => {
  // Any code points but halves of surrogate pairs; brackets have their own meaning in a name.
  const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 20 })
  const plain = text.map((s) => s.replace(/[[\]]/g, '_'))
  fc.assert(
    fc.property(plain, plain, text, (name, key, value) => {
      expect(seen(encodeQuery({ [name]: { [key]: value } }))).toEqual([[`${name}[${key}]`, value]])
    }),
    { numRuns: runs },
  )
})

test.each<[string, string[], [string, string][]]>([
  ['one pair', ['a=1'], [['a', '1']]],
  [
    'several in one argument',
    ['a=1,b=2'],
    [
      ['a', '1'],
      ['b', '2'],
    ],
  ],
  ['a list of values, which is not split', ['id[in]=u1,u2'], [['id[in]', 'u1,u2']]],
  [
    'a list of values and another pair',
    ['id[in]=u1,u2,limit=5'],
    [
      ['id[in]', 'u1,u2'],
      ['limit', '5'],
    ],
  ],
  [
    'a bracketed pair after a comma',
    ['a=1,b[c]=2'],
    [
      ['a', '1'],
      ['b[c]', '2'],
    ],
  ],
  [
    'repeated arguments, whose commas are their own',
    ['a=1,b=2', 'c=3'],
    [
      ['a', '1,b=2'],
      ['c', '3'],
    ],
  ],
  [
    'nested keys',
    ['remote_query[a][b]=v', 'remote_query[$top]=5'],
    [
      ['remote_query[a][b]', 'v'],
      ['remote_query[$top]', '5'],
    ],
  ],
  [
    'a list',
    ['foo[]=a', 'foo[]=b'],
    [
      ['foo[]', 'a'],
      ['foo[]', 'b'],
    ],
  ],
  [
    'a list of objects',
    ['foo[][k]=v', 'foo[][k]=w'],
    [
      ['foo[][k]', 'v'],
      ['foo[][k]', 'w'],
    ],
  ],
  [
    'an indexed list',
    ['foo[0]=a', 'foo[1]=b'],
    [
      ['foo[0]', 'a'],
      ['foo[1]', 'b'],
    ],
  ],
  ['an empty value', ['a='], [['a', '']]],
  ['a value with equals signs, plus and percent', ['next_cursor=a+b%2F=='], [['next_cursor', 'a+b%2F==']]],
  ['a value with line ends', ['a=1\n2'], [['a', '1\n2']]],
  [
    'names that objects have by nature',
    ['__proto__[x]=1', 'constructor=2'],
    [
      ['__proto__[x]', '1'],
      ['constructor', '2'],
    ],
  ],
  ['dotted names', ['integration.name=slack'], [['integration.name', 'slack']]],
  ['nothing', [], []],
])('-q takes %s', (_, args, expected) => {
  expect(seen(encodeQuery(parseQueryArguments(args)))).toEqual(expected)
  expect(({} as { x?: unknown }).x).toBeUndefined()
})

test.each<[string, string[]]>([
  ['no equals sign', ['limit']],
  ['no name', ['=5']],
  ['an unclosed bracket', ['a[b=5']],
  ['text after a bracket', ['a[b]c=5']],
  ['a name given twice', ['a=1', 'a=2']],
  ['a name that is a value and an object', ['a=1', 'a[b]=2']],
  ['a name that is an object and a value', ['a[b]=1', 'a=2']],
  ['a name that is a list and an object', ['a[]=1', 'a[b]=2']],
  ['a name that is an object and a list', ['a[b]=1', 'a[]=2']],
])('-q refuses %s', (_, args) => {
  expect(() => parseQueryArguments(args)).toThrow(expect.objectContaining({ code: 'ERR_OPTION_INVALID' }))
})

test('what -q reads, the encoder writes: the same names and values reach the server', () => {
  const word = fc.stringMatching(/^[A-Za-z_$][\w.$-]{0,8}$/)
  const argument = fc.tuple(word, fc.array(fc.oneof(word, fc.constant('')), { maxLength: 4 }), fc.string())
  fc.assert(
    fc.property(argument, ([name, keys, value]) => {
      const path = name + keys.map((key) => `[${key}]`).join('')
      // A second argument keeps the first from being split at its commas.
      const query = parseQueryArguments([`${path}=${value}`, `${name}2=x`])
      expect(seen(encodeQuery(query))).toEqual([
        [path, value],
        [`${name}2`, 'x'],
      ])
    }),
    { numRuns: runs },
  )
})
