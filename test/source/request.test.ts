import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkRequirements, type ListRequest, listUrl, type PageRequest } from '../../src/source/request.js'

const apiUrl = new URL('https://api.truto.one')
const resource = 'instant-messaging/members'
const first: PageRequest = { cursor: null, responseFormat: 'stream' }
const next = (cursor: string): PageRequest => ({ cursor, responseFormat: 'unified' })

const url = (request: Partial<ListRequest> = {}, page = first): URL => listUrl(apiUrl, { resource, ...request }, page)
/** Names and values as a server sees them. */
const seen = (built: URL): [string, string][] => [...built.searchParams]
const refusal = (request: Partial<ListRequest>, page = first) => {
  try {
    return url(request, page).href
  } catch (error) {
    return error
  }
}

describe('the URL of a list', () => {
  test('is that of the reference page, exactly', () => {
    const built = url({
      account: '62f44730-dd91-461e-bd6a-aedd9e0ad79d',
      excludeFields: ['id', 'name'],
      ignoreLimit: true,
      ignoreRemoteData: true,
      limit: 100,
      query: { remote_query: { foo: 'bar' } },
    })
    expect(built.href).toBe(
      'https://api.truto.one/unified/instant-messaging/members?integrated_account_id=62f44730-dd91-461e-bd6a-aedd9e0ad79d' +
        '&limit=100&truto_ignore_limit=true&truto_ignore_remote_data=true' +
        '&truto_exclude_fields%5B%5D=id&truto_exclude_fields%5B%5D=name&truto_response_format=stream' +
        '&remote_query%5Bfoo%5D=bar',
    )
  })

  test('keeps a path that the API URL has', () => {
    for (const base of ['https://gw.example/truto', 'https://gw.example/truto/']) {
      expect(listUrl(new URL(base), { resource: 'crm/contacts' }, first).href).toBe(
        'https://gw.example/truto/unified/crm/contacts?truto_response_format=stream',
      )
    }
  })

  test.each<[string, Partial<ListRequest>, [string, string][]]>([
    ['a workspace by id', { workspace: 'W1' }, [['workspace[id]', 'W1']]],
    ['a channel by id', { channel: 'C1' }, [['channel[id]', 'C1']]],
    [
      'a channel as an object',
      { channel: { id: 'C1', type: 'private' } },
      [
        ['channel[id]', 'C1'],
        ['channel[type]', 'private'],
      ],
    ],
    ['a bare workspace, verbatim', { query: { workspace: 'W1' } }, [['workspace', 'W1']]],
    [
      'a channel and more of it in the query',
      { channel: 'C1', query: { 'channel[type]': 'x' } },
      [
        ['channel[id]', 'C1'],
        ['channel[type]', 'x'],
      ],
    ],
    ['flags that are off, as nothing', { ignoreLimit: false, ignoreRemoteData: false, excludeFields: [] }, []],
    [
      'filters',
      { query: { updated_at: { gt: new Date(0) }, 'id[in]': 'a,b' } },
      [
        ['updated_at[gt]', '1970-01-01T00:00:00.000Z'],
        ['id[in]', 'a,b'],
      ],
    ],
    [
      'a raw query',
      { rawQuery: '?a=1&b%5Bc%5D=%2B&d' },
      [
        ['a', '1'],
        ['b[c]', '+'],
        ['d', ''],
      ],
    ],
  ])('has %s', (_, request, expected) => {
    expect(seen(url(request)).filter(([name]) => name !== 'truto_response_format')).toEqual(expected)
  })

  test('leaves a raw query as it was written', () => {
    expect(url({ rawQuery: 'a=%c3%a9+b&c[d]=,;' }).search).toBe('?truto_response_format=stream&a=%c3%a9+b&c[d]=,;')
  })

  test.each(['unified', 'raw', 'normalized', 'stream', 'debug'] as const)('asks for %s', (responseFormat) => {
    expect(url({}, { cursor: null, responseFormat }).searchParams.get('truto_response_format')).toBe(responseFormat)
  })
})

describe('the cursor', () => {
  test('of any text comes back exactly, and the other parameters stay', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (cursor) => {
        const built = url({ account: 'A', limit: 5, query: { x: '+' }, rawQuery: 'y=%2B' }, next(cursor))
        expect(seen(built)).toEqual([
          ['integrated_account_id', 'A'],
          ['limit', '5'],
          ['truto_response_format', 'unified'],
          ['x', '+'],
          ['y', '+'],
          ['next_cursor', cursor],
        ])
      }),
      { numRuns: process.env['TRUTO_EXPORT_SOAK'] === '1' ? 10_000 : 300 },
    )
  })

  test.each([
    '+/=&#%',
    'https://graph.microsoft.com/v1.0/x?$skiptoken=a%20b&c=d',
    'dXNlcjpVMEc5V0ZYTlo=',
    'é😀',
    '',
    ' ',
    '\u0000',
  ])('%j comes back exactly', (cursor) => {
    expect(url({}, next(cursor)).searchParams.getAll('next_cursor')).toEqual([cursor])
  })

  test('of a page takes the place of the one that the user began with', () => {
    const request = { query: { next_cursor: 'begin', a: '1' } }
    const raw = { rawQuery: 'next%5Fcursor=begin&a=1' }
    for (const given of [request, raw]) {
      expect(url(given).searchParams.getAll('next_cursor')).toEqual(['begin'])
      expect(url(given, next('later')).searchParams.getAll('next_cursor')).toEqual(['later'])
      expect(url(given, next('later')).searchParams.get('a')).toBe('1')
    }
  })

  test('with half of a surrogate pair cannot be sent back', () => {
    expect(refusal({}, next('a\ud800'))).toMatchObject({ code: 'ERR_CURSOR', exitCode: 6 })
    expect(refusal({}, next('\udc00a'))).toMatchObject({ code: 'ERR_CURSOR' })
  })
})

describe('a request is refused', () => {
  test.each([
    'members',
    '',
    'a/b/c',
    '/members',
    'instant-messaging/',
    'instant-messaging/..',
    '../members',
    'a//b',
    'a/b?c=d',
    'a/b#c',
    'a/b%2f',
    'a/b;c',
    'a /b',
    'a/b\n',
    'a\\b/c',
    '-a/b',
    'é/b',
  ])('for the resource %j', (hostile) => {
    expect(refusal({ resource: hostile })).toMatchObject({ code: 'ERR_OPTION_INVALID', exitCode: 2 })
  })

  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])('for the limit %d', (limit) => {
    expect(refusal({ limit })).toMatchObject({ code: 'ERR_OPTION_INVALID' })
  })

  test.each(['a=b c', 'a=é', 'a=1#b', 'a=1\r\nHost: evil', 'a=\u0000'])('for the raw query %j', (rawQuery) => {
    expect(refusal({ rawQuery })).toMatchObject({ code: 'ERR_OPTION_INVALID' })
  })

  test.each<[string, Partial<ListRequest>]>([
    ['limit', { limit: 5, query: { limit: 10 } }],
    ['limit in the raw query', { limit: 5, rawQuery: 'limit=10' }],
    ['the account', { account: 'A', query: { integrated_account_id: 'B' } }],
    ['the channel, bare and by id', { channel: 'C1', query: { channel: 'C2' } }],
    ['the channel, by id twice', { channel: 'C1', query: { channel: { id: 'C2' } } }],
    ['the excluded fields', { excludeFields: ['a'], query: { truto_exclude_fields: ['b'] } }],
    ['the response format', { query: { truto_response_format: 'raw' } }],
    ['the response format in the raw query', { rawQuery: 'truto_response_format=raw' }],
  ])('that gives twice: %s', (_, request) => {
    expect(refusal(request)).toMatchObject({ code: 'ERR_OPTION_INVALID' })
  })

  test('but not for names that objects have by nature', () => {
    const query = JSON.parse('{"__proto__":"1","constructor":"2","toString":"3"}')
    expect(seen(url({ query })).slice(1)).toEqual([
      ['__proto__', '1'],
      ['constructor', '2'],
      ['toString', '3'],
    ])
  })
})

describe('what an integration requires', () => {
  const check = (request: Partial<ListRequest>) => {
    try {
      checkRequirements({ resource, ...request })
      return 'fine'
    } catch (error) {
      return error
    }
  }

  test.each([
    ['slack', 'channel'],
    ['msteams', 'workspace'],
    ['microsoft365', 'workspace'],
  ] as const)('%s: a %s, in any form', (integration, parameter) => {
    expect(check({ integration })).toMatchObject({
      code: 'ERR_OPTION_MISSING',
      exitCode: 2,
      hint: expect.stringContaining(`--${parameter}`),
    })
    for (const given of [
      { [parameter]: 'X' },
      { [parameter]: { id: 'X' } },
      { query: { [parameter]: 'X' } },
      { query: { [parameter]: { id: 'X' } } },
      { query: { [`${parameter}[id]`]: 'X' } },
      { rawQuery: `${parameter}%5Bid%5D=X` },
      { rawQuery: `a=b&${parameter}[id]=X` },
    ]) {
      expect(check({ integration, ...given })).toBe('fine')
    }
    for (const given of [
      { [parameter]: '' },
      { [parameter]: {} },
      { query: { [`${parameter}s`]: 'X' } },
      { query: { [parameter === 'channel' ? 'workspace' : 'channel']: 'X' } },
      { rawQuery: `a=${parameter}` },
    ]) {
      expect(check({ integration, ...given })).toMatchObject({ code: 'ERR_OPTION_MISSING' })
    }
  })

  test('is not known for other resources, and not asked where none is named', () => {
    expect(check({ integration: 'slack', resource: 'instant-messaging/channels' })).toBe('fine')
    expect(check({})).toBe('fine')
  })
})
