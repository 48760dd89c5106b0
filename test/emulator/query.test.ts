import fc from 'fast-check'
import { expect, test } from 'vitest'
import { idOf, isTrue, listOf, parseQuery, type QueryValue, textOf } from '../../src/emulator/query.js'

test.each<[string, unknown]>([
  ['', {}],
  ['a=1&b=x%20y&c=p+q', { a: '1', b: 'x y', c: 'p q' }],
  ['next_cursor=', { next_cursor: '' }],
  ['flag', { flag: '' }],
  ['a=b=c', { a: 'b=c' }],
  ['channel[id]=C1', { channel: { id: 'C1' } }],
  ['channel%5Bid%5D=C1', { channel: { id: 'C1' } }],
  ['f[a][b][c]=1&f[a][d]=2', { f: { a: { b: { c: '1' }, d: '2' } } }],
  ['x[]=a&x[]=b', { x: ['a', 'b'] }],
  ['x[0]=a&x[1]=b', { x: ['a', 'b'] }],
  ['x=a&x=b&x=c', { x: ['a', 'b', 'c'] }],
  ['x[][k]=1&x[][k]=2', { x: [{ k: '1' }, { k: '2' }] }],
  ['x[0][k]=1&x[0][l]=2&x[1][k]=3', { x: [{ k: '1', l: '2' }, { k: '3' }] }],
  ['x[][k]=1&x[][l]=2', { x: [{ k: '1', l: '2' }] }],
  ['remote_query[$top]=5&remote_query[%24select]=id', { remote_query: { $top: '5', $select: 'id' } }],
  ['a[b=1&c]=2&d[e]f=3', { 'a[b': '1', 'c]': '2', 'd[e]f': '3' }],
  ['__proto__[polluted]=1', JSON.parse('{"__proto__":{"polluted":"1"}}')],
  ['bad=%FF%zz', { bad: '%FF%zz' }],
  ['&&a=1&', { a: '1' }],
])('%s', (text, expected) => {
  expect(JSON.parse(JSON.stringify(parseQuery(text)))).toEqual(expected)
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
})

test('values survive percent-encoding, under any name', () => {
  const name = fc.string({ minLength: 1, unit: 'grapheme' }).filter((name) => !/[[\]]/.test(name))
  fc.assert(
    fc.property(name, fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (name, value, other) => {
      const encode = encodeURIComponent
      expect(textOf(parseQuery(`${encode(name)}=${encode(value)}`)[name])).toBe(value)
      expect(listOf(parseQuery(`${encode(name)}[]=${encode(value)}&${encode(name)}[]=${encode(other)}`)[name])).toEqual(
        [value, other],
      )
    }),
  )
})

test('a list parameter may be spelled with empty brackets, with indexes or with commas', () => {
  const lists = ['f[]=a&f[]=b', 'f[0]=a&f[1]=b', 'f=a,b', 'f=a&f=b', 'f[x]=a&f[y]=b']
  expect(lists.map((text) => listOf(parseQuery(text)['f']))).toEqual(lists.map(() => ['a', 'b']))
  expect(listOf(undefined)).toEqual([])
})

test('a channel may be an object with an id, or bare', () => {
  const ids = ['c[id]=C1', 'c=C1', 'c[id]=', 'c=', 'd=1', 'c[name]=general'].map((text) => idOf(parseQuery(text)['c']))
  expect(ids).toEqual(['C1', 'C1', undefined, undefined, undefined, undefined])
})

test('only true is true', () => {
  expect(['true', 'false', '1', 'TRUE', ''].map((value: QueryValue) => isTrue(value))).toEqual([
    true,
    false,
    false,
    false,
    false,
  ])
})
