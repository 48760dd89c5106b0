// What every engine owes for a given body, as a table that any slicer can be run against. `§` in a body is not part of
// it: it marks the byte that the error must name.

import { expect, test } from 'vitest'
import type { PageFacts, SlicerFactory, SlicerOptions } from '../../src/json/slicer.js'
import { chunkSizes, chunksOf, defaultOptions, pushAll, sliceBody } from './slicing.js'

interface Case {
  title: string
  body: string | Buffer
  options?: Partial<SlicerOptions>
  /** JSON texts of the records; an engine that keeps bytes gives just these, the others the same values. */
  records?: string[]
  /** Texts that engines which print tokens must give. */
  printed?: string[]
  pageKeys?: string[]
  facts?: Partial<PageFacts>
  code?: string
  byteOffset?: number
  recordIndex?: number
  /** A part of the error's line. */
  says?: string
}

const valid = (title: string, body: string | Buffer, records: string[], more: Partial<Case> = {}): Case => ({
  title,
  body,
  records,
  ...more,
})
const invalid = (title: string, code: string, body: string | Buffer, more: Partial<Case> = {}): Case => ({
  title,
  body,
  code,
  ...more,
})

/** A body with bytes that are no valid text: `offset` is the first of them that is wrong. */
function bytesIn(
  before: string,
  bytes: readonly number[],
  offset: number,
  after: string,
): Partial<Case> & { body: Buffer } {
  const start = Buffer.from(before)
  return { body: Buffer.concat([start, Buffer.from(bytes), Buffer.from(after)]), byteOffset: start.length + offset }
}

const two = ['{"id":"a"}', '{"id":"b"}']
const twoText = two.join(',')

const framings: Case[] = [
  valid('an envelope with its cursor last', `{"result":[${twoText}],"next_cursor":"n=="}`, two, {
    facts: { framing: 'envelope', recordMember: 'result', isKeyed: false, hasCursorMember: true, nextCursor: 'n==' },
  }),
  valid('an envelope with its cursor first', `{"next_cursor":"n","result":[${twoText}]}`, two, {
    facts: { nextCursor: 'n' },
  }),
  valid('a cursor whose key is spelled with an escape', `{"result":[${twoText}],"next_\\u0063ursor":"n"}`, two, {
    facts: { hasCursorMember: true, nextCursor: 'n' },
  }),
  valid('a record member whose key is spelled with an escape', `{"re\\u0073ult":[${twoText}]}`, two, {
    facts: { framing: 'envelope' },
  }),
  valid('an envelope without a cursor', `{"result":[${twoText}]}`, two, {
    facts: { hasCursorMember: false, nextCursor: null },
  }),
  valid('a null cursor', '{"result":[],"next_cursor":null}', [], {
    facts: { hasCursorMember: true, nextCursor: null },
  }),
  valid('an empty cursor', '{"result":[],"next_cursor":""}', [], {
    facts: { hasCursorMember: true, nextCursor: null },
  }),
  valid('a number as cursor, as its digits', '{"next_cursor": 12345678901234567890 ,"result":[]}', [], {
    facts: { nextCursor: '12345678901234567890' },
  }),
  valid('a number as cursor, last in the envelope', '{"result":[],"next_cursor":10.50}', [], {
    facts: { nextCursor: '10.50' },
  }),
  valid(
    'a cursor that needs every kind of escape',
    '{"result":[],"next_cursor":"\\"\\\\+/=&#%\\u00fc漢\\ud83d\\ude00"}',
    [],
    {
      facts: { nextCursor: '"\\+/=&#%ü漢😀' },
    },
  ),
  valid('results instead of result', `{"results":[${twoText}]}`, two, {
    facts: { framing: 'envelope', recordMember: 'results' },
  }),
  valid('the counts of an envelope', '{"result_count":12,"is_partial_response":true,"result":[]}', [], {
    facts: { resultCount: 12, isPartialResponse: true },
  }),
  valid(
    'records as the values of an object',
    '{"result":{"x":{"id":"a"} ,\n "y\\n" : {"id":"b"}},"next_cursor":"n"}',
    two,
    {
      facts: { framing: 'envelope', isKeyed: true, nextCursor: 'n' },
      pageKeys: ['x', 'y\n'],
    },
  ),
  valid(
    '__proto__ and its kin as server keys are data',
    '{"result":{"__proto__":{"a":1},"constructor":{"a":2}}}',
    ['{"a":1}', '{"a":2}'],
    {
      pageKeys: ['__proto__', 'constructor'],
    },
  ),
  valid('an empty object of records', '{"result":{}}', [], { facts: { isKeyed: true } }),
  valid('an empty list', '{"result":[]}', [], { facts: { framing: 'envelope', records: 0 } }),
  valid('an empty list with white space in it', '{"result":[ \n ]}', []),
  valid('empty records', '{"result":[{},{ }]}', ['{}', '{ }']),
  valid('a Slack list', `{"ok":true,"members":[${twoText}],"response_metadata":{"next_cursor":"n"}}`, two, {
    facts: { framing: 'slack', recordMember: 'members', hasCursorMember: true, nextCursor: 'n', bareIds: 0 },
  }),
  valid('a Slack list of bare ids', '{"ok":true,"members":["a", "b"],"response_metadata":{"next_cursor":""}}', two, {
    facts: { framing: 'slack', bareIds: 2, nextCursor: null },
  }),
  valid(
    'bare ids between objects',
    '{"members":[{"id":"a"},"b",{"id":"c"},"d"]}',
    [...two, '{"id":"c"}', '{"id":"d"}'],
    {
      facts: { bareIds: 2 },
    },
  ),
  valid(
    'a Microsoft Graph list',
    `{"@odata.context":"c","@odata.nextLink":"https://g/v1?$skiptoken=x","value":[${twoText}]}`,
    two,
    {
      facts: { framing: 'graph', recordMember: 'value', nextCursor: 'https://g/v1?$skiptoken=x' },
    },
  ),
  valid('a bare array', ` [${twoText}] `, two, {
    facts: { framing: 'array', recordMember: null, hasCursorMember: false },
  }),
  valid('an empty array', '[]', [], { facts: { framing: 'array' } }),
  valid('NDJSON, recognised by its second record', '{"id":"a"}\n{"id":"b"}\n', two, {
    facts: { framing: 'ndjson', recordMember: null },
  }),
  valid(
    'NDJSON whose first record has names of an envelope',
    '{"id":"a","error":"x","next_cursor":1}\n{"id":"b"}',
    ['{"id":"a","error":"x","next_cursor":1}', '{"id":"b"}'],
    { facts: { framing: 'ndjson', nextCursor: null, error: null } },
  ),
  ...['{"a":[1\n§"",0],"b":""}', '{"a":[[]\n§{}]}', '{"a":1\n§"b":2}', '{"a":{"b":null \n §"c":2}}'].map((body) =>
    invalid(`a line feed is no comma inside a record of NDJSON: ${JSON.stringify(body)}`, 'ERR_JSON_SYNTAX', body, {
      options: { isNdjson: true },
    }),
  ),
  valid('NDJSON by its content type', '{"id":"a"}', ['{"id":"a"}'], {
    options: { isNdjson: true },
    facts: { framing: 'ndjson' },
  }),
  valid(
    'NDJSON whose records look like envelopes',
    '{"result":[1]}\n{"members":[]}',
    ['{"result":[1]}', '{"members":[]}'],
    {
      options: { isNdjson: true },
    },
  ),
  valid(
    'NDJSON with blank lines, CRLF and a line feed inside a record',
    '\r\n{"id":"a"}\r\n\n {"b":\n1} \r\n',
    ['{"id":"a"}', '{"b": 1}'],
    {
      options: { isNdjson: true },
    },
  ),
  valid('NDJSON without a record', '', [], { options: { isNdjson: true }, facts: { framing: 'ndjson' } }),
  valid('NDJSON of white space only', '\n\n', [], { options: { isNdjson: true } }),
  valid(
    'decoys: nested and differently spelled names',
    '{"Result":[1],"meta":{"result":[1],"next_cursor":"x"},"result":[{"result":[{}],"next_cursor":"y"}],"Next_cursor":"z"}',
    ['{"result":[{}],"next_cursor":"y"}'],
    { facts: { hasCursorMember: false, nextCursor: null } },
  ),
  valid('members and value as ordinary names beside result', `{"result":[${twoText}],"members":[1],"value":"x"}`, two),
  valid('white space after the end', '{"result":[]} \r\n\t ', []),
  valid(
    'a pretty-printed page',
    '{\r\n  "result": [\r\n    {\r\n      "id": "a"\r\n    } ,\r\n    {"id":\t"b"}\r\n  ]\r\n}\r\n',
    ['{        "id": "a"      }', '{"id":\t"b"}'],
    { printed: two },
  ),
  valid('a byte order mark', `\ufeff{"result":[${twoText}]}`, two),
  valid('a byte order mark before an array', '\ufeff[{}]', ['{}']),
  valid('a byte order mark before NDJSON', '\ufeff{"id":"a"}\n{"id":"b"}', two, { options: { isNdjson: true } }),
]

const errorBodies: Case[] = [
  valid('an error body alone', '{"statusCode":429,"error":"Too Many Requests","message":"slow down"}', [], {
    facts: {
      framing: null,
      error: { statusCode: 429, error: 'Too Many Requests', message: 'slow down', isRemote: false, insight: undefined },
    },
  }),
  valid(
    'a remote error with its insight',
    '{"truto_is_remote_error":true,"message":"no","truto_error_insight":{"a":[1]}}',
    [],
    {
      facts: { error: { statusCode: null, error: null, message: 'no', isRemote: true, insight: { a: [1] } } },
    },
  ),
  valid('a Slack error', '{"ok":false,"error":"invalid_cursor"}', [], {
    facts: { error: { statusCode: null, error: 'invalid_cursor', message: null, isRemote: true, insight: undefined } },
  }),
  valid('an error beside the records', '{"statusCode":500,"result":[{}]}', ['{}'], {
    facts: {
      framing: 'envelope',
      error: { statusCode: 500, error: null, message: null, isRemote: false, insight: undefined },
    },
  }),
  valid('an error after the records', '{"result":[{}],"error":"broke","statusCode":502}', ['{}'], {
    facts: { error: { statusCode: 502, error: 'broke', message: null, isRemote: false, insight: undefined } },
  }),
  valid('no error where its member is null', '{"result":[],"error":null,"message":"ok","statusCode":200}', [], {
    facts: { error: null },
  }),
]

/** A list that has null where an empty one would do. */
const nullLists: Case[] = [
  ...['result', 'results', 'members', 'value'].flatMap((name) => {
    const framing = { result: 'envelope', results: 'envelope', members: 'slack', value: 'graph' }[name] as 'envelope'
    return [
      valid(`"${name}": null before a cursor`, `{"${name}":null,"next_cursor":"n"}`, [], {
        facts: { framing, recordMember: name, isKeyed: false, hasCursorMember: true, nextCursor: 'n', error: null },
      }),
      valid(`"${name}": null after a null cursor`, ` {"next_cursor": null ,"${name}" : null } \n`, [], {
        facts: { framing, recordMember: name, hasCursorMember: true, nextCursor: null },
      }),
    ]
  }),
  valid(
    'members: null with the cursor of Slack',
    '{"ok":true,"members":null,"response_metadata":{"next_cursor":""}}',
    [],
    {
      facts: { framing: 'slack', hasCursorMember: true, nextCursor: null },
    },
  ),
  valid('value: null with the cursor of Graph', '{"@odata.nextLink":"https://g/2","value":null}', [], {
    facts: { framing: 'graph', nextCursor: 'https://g/2' },
  }),
  valid('result: null in an envelope without a cursor', '{"result":null,"result_count":0}', [], {
    facts: { framing: 'envelope', hasCursorMember: false, resultCount: 0 },
  }),
  valid('a list beside another that is null', `{"results":null,"next_cursor":"n","members":[${twoText}]}`, two, {
    facts: { framing: 'slack', nextCursor: 'n' },
  }),
  valid('an error beside a null list', '{"result":null,"next_cursor":null,"error":"broke","statusCode":502}', [], {
    facts: { error: { statusCode: 502, error: 'broke', message: null, isRemote: false, insight: undefined } },
  }),
  valid('an error with a null list and no cursor', '{"result":null,"message":"no such list","statusCode":404}', [], {
    facts: { framing: null, error: expect.objectContaining({ statusCode: 404 }) },
  }),
  ...['results', 'members', 'value'].map((name) => invalid(`${name} is null`, 'ERR_SCHEMA', `{"${name}":null}`)),
  invalid('a null list twice', 'ERR_SCHEMA', '{"result":null,"result":§[],"next_cursor":null}'),
  invalid('a list and then null', 'ERR_SCHEMA', '{"result":[],"result":§null}'),
]

const truto = '{"statusCode":502,"error":"Bad Gateway","message":"the provider broke","truto_is_remote_error":true}'
const slackError = '{"ok":false,"error":"ratelimited"}'
const graphError = '{"error":{"code":"TooManyRequests","message":"slow down","innerError":{}}}'

/** Lines of NDJSON that are no records, and some that only look so. */
const strangeLines: Case[] = [
  ...[true, false].flatMap((isNdjson) =>
    [truto, slackError, graphError, `{ "message" : ["a","b"], "status\\u0043ode":500 }`].flatMap((line) => {
      const options = { isNdjson, watchesLines: true }
      const error = expect.objectContaining({ statusCode: line.includes('50') ? expect.any(Number) : null })
      const of = (lines: string[]) => `${lines.join('\n')}\n`
      const before = (lines: string[]): number => (lines.length === 0 ? 0 : of(lines).length)
      return [
        ['first', [], [...two]],
        ['in the middle', [two[0]!], [two[1]!]],
        ['last', [...two], []],
        ['before text that is not JSON', [...two], ['{"id":']],
      ].map(([place, records, after]) =>
        valid(
          `an error line ${place as string}, isNdjson ${isNdjson}: ${line}`,
          of([...(records as string[]), line, ...(after as string[])]),
          records as string[],
          { options, facts: { framing: 'ndjson', error, bytes: before(records as string[]) } },
        ),
      )
    }),
  ),
  valid(
    'an error line after many records that begin alike',
    `${'{"id":"a"}\n'.repeat(2000)}${truto}\n`,
    Array(2000).fill(two[0]),
    {
      options: { isNdjson: true, watchesLines: true },
      facts: { bytes: 22_000, error: expect.objectContaining({ isRemote: true, byteOffset: 22_000 }) },
    },
  ),
  valid(
    'an error line with names of its own, that says whose it is',
    `${two[0]}\n{"name":"HttpError","truto_is_remote_error":true}\n`,
    [two[0]!],
    {
      options: { isNdjson: true, watchesLines: true },
      facts: { bytes: 11, error: expect.objectContaining({ isRemote: true }) },
    },
  ),
  ...[
    '{"id":"1","error":"none","message":"hello","value":[1],"statusCode":200}',
    '{"error":"out of paper","printer":"p1"}',
    '{"message":"hello"}',
    '{"message":"hello","user":"u"}',
    '{"value":[{"a":1}]}',
    '{"value":null,"next_cursor_of":"x"}',
    '{"members":[{"id":"u"}],"name":"group"}',
    '{"result":"won","next_cursor":"x"}',
    '{"statusCode":404,"path":"/x","message":"not found"}',
    '{"statusCode":200,"message":"fine"}',
    '{"ok":false,"error":"down","service":"db"}',
    '{"ok":true,"error":"none"}',
    '{"error":{"code":1,"message":"x"}}',
    '{"error":{"code":"a","message":"x"},"id":"1"}',
  ].map((line) =>
    valid(`an ordinary record stays one: ${line}`, `${two[0]}\n${line}\n${line}\n`, [two[0]!, line, line], {
      options: { isNdjson: true, watchesLines: true },
      facts: { framing: 'ndjson', error: null },
    }),
  ),
  valid('an error line where every line is a record', `${truto}\n`, [truto], {
    options: { isNdjson: true },
    facts: { error: null },
  }),
  ...[
    '{"result":[{"id":"a"}],"next_cursor":null}',
    '{"next_cursor":"n","results":{}}',
    '{"ok":true,"members":[],"response_metadata":{"next_cursor":""}}',
    '{"@odata.context":"c","value":[]}',
  ].map((line) =>
    invalid(`a page among lines: ${line}`, 'ERR_FRAMING_CHANGED', `${two[0]}\n§${line}\n${two[1]}\n`, {
      options: { isNdjson: true, watchesLines: true },
      recordIndex: 1,
    }),
  ),
]

/** Elements of an array that stands alone: nothing around them says that they are records. */
const strangeElements: Case[] = [
  ...[truto, slackError, graphError].flatMap((element) =>
    [[element], [two[0]!, element, two[1]!], [...Array<string>(2000).fill(two[0]!), element]].map((elements) => {
      const at = elements.indexOf(element)
      return valid(
        `an error as element ${at} of an array: ${element}`,
        `[${elements.join(',')}]`,
        elements.slice(0, at),
        {
          options: { watchesLines: true },
          facts: { framing: 'array', error: expect.objectContaining({ byteOffset: 1 + 11 * at }), bytes: 1 + 11 * at },
        },
      )
    }),
  ),
  valid(
    'an error in a list that a page names is what the list has',
    `{"result":[${truto}],"next_cursor":null}`,
    [truto],
    {
      options: { watchesLines: true },
      facts: { framing: 'envelope', error: null },
    },
  ),
  invalid(
    'pages in an array',
    'ERR_FRAMING_CHANGED',
    `[§{"result":[{"id":"a"}],"next_cursor":"n"},{"result":[],"next_cursor":null}]`,
    { options: { watchesLines: true }, recordIndex: 0 },
  ),
  invalid(
    'a page among the elements of an array',
    'ERR_FRAMING_CHANGED',
    `[${two[0]}, §{"value":[],"@odata.context":"c"}]`,
    {
      options: { watchesLines: true },
      recordIndex: 1,
    },
  ),
]

const keyedDocuments: Case[] = [
  valid('records by their keys', '{"x":{"id":"a"} ,\n "y\\n" : {"id":"b"}}\n', two, {
    options: { isKeyed: true },
    facts: { framing: 'keyed', isKeyed: true, recordMember: null, hasCursorMember: false },
    pageKeys: ['x', 'y\n'],
  }),
  valid('keys that mean something elsewhere', '{"result":{"id":"a"},"error":{"id":"b"}}', two, {
    options: { isKeyed: true },
    facts: { error: null },
    pageKeys: ['result', 'error'],
  }),
  valid('no records by any key', ' {} ', [], { options: { isKeyed: true }, facts: { framing: 'keyed' } }),
  invalid('a key without a record', 'ERR_SCHEMA', '{"x":{},"y":§[]}', { options: { isKeyed: true }, recordIndex: 1 }),
  invalid('records by their keys, cut', 'ERR_BODY_TRUNCATED', '{"x":{"id":"a"},', { options: { isKeyed: true } }),
]

const wrongShapes: Case[] = [
  invalid('no record member: names the keys', 'ERR_SCHEMA', '{"data":[],"total":1}', {
    says: 'its keys are: "data", "total"',
  }),
  invalid('an empty object', 'ERR_SCHEMA', '{}', { says: 'none' }),
  ...['null', '"x"', '12', 'true'].map((text) =>
    invalid(`result is ${text}`, 'ERR_SCHEMA', `{"result":${text},"a":1}`, { says: '"result" is' }),
  ),
  invalid('members is an object', 'ERR_SCHEMA', '{"members":{"a":{}}}'),
  invalid('result twice', 'ERR_SCHEMA', '{"result":[],"result":§[]}'),
  invalid('result twice, once with an escape', 'ERR_SCHEMA', '{"result":[],"r\\u0065sult":§[]}'),
  invalid('result and results', 'ERR_SCHEMA', '{"results":[],"result":§[]}'),
  invalid('next_cursor twice', 'ERR_SCHEMA', '{"next_cursor":"a","result":[],"next_cursor":§"b"}'),
  invalid('a cursor that is an object', 'ERR_CURSOR', '{"result":[],"next_cursor":§{"a":1}}'),
  invalid('a cursor that is an array', 'ERR_CURSOR', '{"next_cursor":§[],"result":[]}'),
  invalid('a cursor that is a boolean', 'ERR_CURSOR', '{"next_cursor":§false,"result":[]}'),
  invalid('a Slack cursor that is an object', 'ERR_CURSOR', '{"members":[],"response_metadata":§{"next_cursor":{}}}'),
  invalid('a cursor that is too long', 'ERR_CURSOR', '{"result":[],"next_cursor":§"123456789"}', {
    options: { maxCursorBytes: 8 },
  }),
  invalid('a number cursor that is too long', 'ERR_CURSOR', '{"result":[],"next_cursor":§123456789}', {
    options: { maxCursorBytes: 8 },
  }),
  valid('a cursor that is just short enough', '{"result":[],"next_cursor":"12345678"}', [], {
    options: { maxCursorBytes: 8 },
  }),
  ...['null', '5', '-', '"x"', '[{}]', 'true', 'false'].flatMap((text) => [
    invalid(`an element ${text}`, 'ERR_SCHEMA', `{"result":[{},{}, §${text}]}`, { recordIndex: 2 }),
    invalid(`a keyed value ${text}`, 'ERR_SCHEMA', `{"result":{"a":{},"b":§${text}}}`, { recordIndex: 1 }),
    invalid(`an NDJSON line ${text}`, 'ERR_SCHEMA', `{}\n{}\n§${text}\n`, { recordIndex: 2 }),
  ]),
  invalid('a bare id in an array that is not of Slack', 'ERR_SCHEMA', '[§"U1"]', { recordIndex: 0 }),
  invalid('a number in a Slack list', 'ERR_SCHEMA', '{"members":["U1",§2]}', { recordIndex: 1 }),
  ...['null', '5', '"x"', 'true'].map((text) => invalid(`a body that is ${text}`, 'ERR_SCHEMA', ` §${text}`)),
]

const wrongGrammar: Case[] = [
  invalid('HTML', 'ERR_JSON_SYNTAX', '§<!DOCTYPE html><html></html>'),
  invalid('text after the end', 'ERR_JSON_SYNTAX', '{"result":[]} §x'),
  invalid('a second document after an envelope', 'ERR_JSON_SYNTAX', '{"result":[]}\n§{"result":[]}'),
  invalid('a bracket too many', 'ERR_JSON_SYNTAX', '[{}]§]'),
  invalid('HTML appended to an open array', 'ERR_JSON_SYNTAX', '{"result":[{"a":1}§<html>', { recordIndex: 1 }),
  invalid('an error appended to an open array', 'ERR_JSON_SYNTAX', '{"result":[{"a":1}§{"statusCode":500}', {
    recordIndex: 1,
  }),
  invalid('an error in place of the next record', 'ERR_JSON_SYNTAX', '{"result":[{"a":1},{"a"§{"statusCode":500}}', {
    recordIndex: 1,
  }),
  invalid('NDJSON records on one line', 'ERR_JSON_SYNTAX', '{"a":1} §{"a":2}\n'),
  invalid('NDJSON records on one line, later', 'ERR_JSON_SYNTAX', '{}\n{}§{}', { recordIndex: 2 }),
  invalid('a trailing comma after the records', 'ERR_JSON_SYNTAX', '{"result":[{},§]}', { recordIndex: 1 }),
  invalid('a trailing comma in the envelope', 'ERR_JSON_SYNTAX', '{"result":[],§}'),
  invalid('a leading comma', 'ERR_JSON_SYNTAX', '{"result":[§,{}]}'),
  invalid('an envelope closed as an array', 'ERR_JSON_SYNTAX', '{"result":[{}]§]'),
  invalid('a list closed as an object', 'ERR_JSON_SYNTAX', '{"result":[{}§}', { recordIndex: 1 }),
  invalid('a key without its colon', 'ERR_JSON_SYNTAX', '{"result"§[]}'),
  invalid('a key without quotes', 'ERR_JSON_SYNTAX', '{§result:[]}'),
  invalid('a raw line feed in a string', 'ERR_JSON_SYNTAX', '{"result":[{"a":"x§\ny"}]}', { recordIndex: 0 }),
  invalid('a raw NUL in a string', 'ERR_JSON_SYNTAX', '{"result":[{"a":"x§\0y"}]}', { recordIndex: 0 }),
  invalid('a raw tab in a key', 'ERR_JSON_SYNTAX', '{"result":[{"a§\t":1}]}', { recordIndex: 0 }),
  invalid('a wrong escape at the end of the body', 'ERR_JSON_SYNTAX', '{"result":[{"a":"\\§x', { recordIndex: 0 }),
  invalid('a wrong hexadecimal digit', 'ERR_JSON_SYNTAX', '{"result":[{"a":"\\u00§g0"}]}', { recordIndex: 0 }),
  invalid('a wrong literal at the end of the body', 'ERR_JSON_SYNTAX', '{"result":[{"a":nu§x', { recordIndex: 0 }),
  invalid('a literal in capitals', 'ERR_JSON_SYNTAX', '{"result":[{"a":§True}]}', { recordIndex: 0 }),
  invalid('two numbers in one', 'ERR_JSON_SYNTAX', '{"result":[{"a":1§-2}]}', { recordIndex: 0 }),
  invalid('a number with a leading zero', 'ERR_JSON_SYNTAX', '{"result":[{"a":0§1}]}', { recordIndex: 0 }),
  invalid('a number that ends with its point', 'ERR_JSON_SYNTAX', '{"result":[{"a":1.§}]}', { recordIndex: 0 }),
  invalid('NaN', 'ERR_JSON_SYNTAX', '{"result":[{"a":§NaN}]}', { recordIndex: 0 }),
  invalid('a comment', 'ERR_JSON_SYNTAX', '{"result":[{"a":1} §// x\n]}', { recordIndex: 1 }),
  invalid('a no-break space between tokens', 'ERR_JSON_SYNTAX', '{"result":§\u00a0[]}'),
  invalid('two byte order marks', 'ERR_JSON_SYNTAX', '\ufeff§\ufeff{"result":[]}'),
  invalid('a byte order mark that is not at the start', 'ERR_JSON_SYNTAX', ' §\ufeff{"result":[]}'),
  invalid('UTF-16, little endian, with its mark', 'ERR_UTF8', Buffer.from('\ufeff{"result":[]}', 'utf16le'), {
    byteOffset: 0,
  }),
  invalid('UTF-16, little endian, without', 'ERR_JSON_SYNTAX', Buffer.from('{"result":[]}', 'utf16le'), {
    byteOffset: 1,
  }),
  invalid('UTF-16, big endian, with its mark', 'ERR_UTF8', Buffer.from('\ufeff{"result":[]}', 'utf16le').swap16(), {
    byteOffset: 0,
  }),
  invalid('UTF-16, big endian, without', 'ERR_JSON_SYNTAX', Buffer.from('{"result":[]}', 'utf16le').swap16(), {
    byteOffset: 0,
  }),
]

const badUtf8: readonly [title: string, bytes: readonly number[], offset: number][] = [
  ['a lone continuation byte', [0x80], 0],
  ['an overlong NUL', [0xc0, 0x80], 0],
  ['an overlong slash in two bytes', [0xc1, 0xaf], 0],
  ['an overlong form in three bytes', [0xe0, 0x9f, 0xbf], 1],
  ['an overlong form in four bytes', [0xf0, 0x8f, 0xbf, 0xbf], 1],
  ['a high surrogate', [0xed, 0xa0, 0x80], 1],
  ['a low surrogate', [0xed, 0xbf, 0xbf], 1],
  ['a value past U+10FFFF', [0xf4, 0x90, 0x80, 0x80], 1],
  ['a lead byte of five', [0xf8, 0x88, 0x80, 0x80, 0x80], 0],
  ['0xFE', [0xfe], 0],
  ['0xFF', [0xff], 0],
  ['a sequence of two bytes that is cut', [0xc3, 0x41], 1],
  ['a sequence of three bytes that is cut', [0xe2, 0x82, 0x41], 2],
  ['a sequence of four bytes that is cut', [0xf0, 0x9f, 0x98, 0x41], 3],
  ['Latin-1', [0xfc, 0x62], 0],
]

const wrongEncoding: Case[] = [
  ...badUtf8.flatMap(([title, bytes, offset]) => [
    invalid(`${title} in a value`, 'ERR_UTF8', '', {
      ...bytesIn('{"result":[{},{"a":"é', bytes, offset, 'x"}]}'),
      recordIndex: 1,
    }),
    invalid(`${title} in a key`, 'ERR_UTF8', '', {
      ...bytesIn('{"result":[{},{"é', bytes, offset, 'x":1}]}'),
      recordIndex: 1,
    }),
    invalid(`${title} in a skipped member`, 'ERR_UTF8', '', bytesIn('{"meta":["', bytes, offset, '"],"result":[]}')),
  ]),
  invalid('an overlong form at the very end', 'ERR_UTF8', '', bytesIn('{"result":[{"a":"', [0xe0, 0x80], 1, '')),
  invalid(
    'a sequence that the end of the body cuts',
    'ERR_BODY_TRUNCATED',
    bytesIn('{"result":[{"a":"', [0xe2, 0x82], 0, '').body,
  ),
  invalid('a byte order mark that the end of the body cuts', 'ERR_BODY_TRUNCATED', Buffer.of(0xef, 0xbb)),
  invalid('a grammar error before the bad byte comes first', 'ERR_JSON_SYNTAX', '', {
    ...bytesIn('{"result":[{"a":', [0x78, 0x22, 0xff], 0, '"}]}'),
  }),
]

const cut: Case[] = [
  invalid('an empty body', 'ERR_BODY_TRUNCATED', '', { says: 'before its document began' }),
  invalid('a body of white space', 'ERR_BODY_TRUNCATED', ' \r\n\t'),
  invalid('the envelope is open', 'ERR_BODY_TRUNCATED', '{"result":[{}]', { says: 'inside the envelope' }),
  invalid('the list is open', 'ERR_BODY_TRUNCATED', '{"result":[{}', { says: 'between two records' }),
  invalid('a record is open', 'ERR_BODY_TRUNCATED', '{"result":[{},{"a":', { says: 'inside record 1', recordIndex: 1 }),
  invalid('a complete error element in an open list', 'ERR_BODY_TRUNCATED', '{"result":[{"id":1},{"error":"x"}'),
  invalid('inside an escape', 'ERR_BODY_TRUNCATED', '{"result":[{"a":"\\u00'),
  invalid('inside a literal', 'ERR_BODY_TRUNCATED', '{"result":[{"a":tru'),
  invalid('inside a number', 'ERR_BODY_TRUNCATED', '{"result":[{"a":1e'),
  invalid('an NDJSON record is open', 'ERR_BODY_TRUNCATED', '{"a":1}\n{"a":', { options: { isNdjson: true } }),
]

const values: Case[] = [
  valid(
    'numbers that a double cannot hold keep their digits',
    '[{"a":9007199254740993,"b":1e400,"c":123456789012345678901234567890,"d":0.10000000000000000000001}]',
    ['{"a":9007199254740993,"b":1e400,"c":123456789012345678901234567890,"d":0.10000000000000000000001}'],
    { printed: ['{"a":9007199254740993,"b":1e400,"c":123456789012345678901234567890,"d":0.10000000000000000000001}'] },
  ),
  valid(
    '-0, 1E2 and 1.0 keep their spelling',
    '[{"a":-0,"b":1E2,"c":1.0,"d":1e+2,"e":-0.0e-0}]',
    ['{"a":-0,"b":1E2,"c":1.0,"d":1e+2,"e":-0.0e-0}'],
    {
      printed: ['{"a":-0,"b":1E2,"c":1.0,"d":1e+2,"e":-0.0e-0}'],
    },
  ),
  valid('duplicate keys stay', '[{"a":1,"b":2,"a":3,"\\u0061":4}]', ['{"a":1,"b":2,"a":3,"\\u0061":4}'], {
    printed: ['{"a":1,"b":2,"a":3,"a":4}'],
  }),
  valid(
    '__proto__, constructor and hasOwnProperty are data',
    '[{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"hasOwnProperty":1}]',
    ['{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"hasOwnProperty":1}'],
    { printed: ['{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"hasOwnProperty":1}'] },
  ),
  valid('integer-like keys stay where they are', '[{"b":1,"2":2,"1":3}]', ['{"b":1,"2":2,"1":3}'], {
    printed: ['{"b":1,"2":2,"1":3}'],
  }),
  valid(
    'lone surrogates stay escapes',
    '[{"a":"\\ud800","b":"\\uDC00x","c":"\\ud800\\ud800"}]',
    ['{"a":"\\ud800","b":"\\uDC00x","c":"\\ud800\\ud800"}'],
    {
      printed: ['{"a":"\\ud800","b":"\\udc00x","c":"\\ud800\\ud800"}'],
    },
  ),
  valid('exotic escapes', '[{"a":"\\/\\u0041\\ud83d\\ude00\\b\\f\\n\\r\\t\\"\\\\\\u0000\\u001F"}]', [
    '{"a":"\\/\\u0041\\ud83d\\ude00\\b\\f\\n\\r\\t\\"\\\\\\u0000\\u001F"}',
  ]),
  valid(
    'characters of every length, invisible ones and noncharacters',
    '[{"é漢😀":"\u007f\u0080\u07ff\u0800\ud7ff\ue000\uffff\u{10000}\u{10ffff}\u2028\u2029\u200f\u202e\u200d\ufdd0"}]',
    ['{"é漢😀":"\u007f\u0080\u07ff\u0800\ud7ff\ue000\uffff\u{10000}\u{10ffff}\u2028\u2029\u200f\u202e\u200d\ufdd0"}'],
  ),
  valid('U+FEFF in strings, raw and escaped', '[{"\ufeffa":"\ufeff","b":"x\ufeffy","c":"\\ufeff","d":"é\ufeff"}]', [
    '{"\ufeffa":"\ufeff","b":"x\ufeffy","c":"\\ufeff","d":"é\ufeff"}',
  ]),
  valid('brackets, quotes and separators inside strings', '[{"a":"}],{\\"b\\":[","]":"\\\\"}]', [
    '{"a":"}],{\\"b\\":[","]":"\\\\"}',
  ]),
  valid(
    'every kind of value',
    '[{"a":[null,true,false,"",[],{},[[]],-1.5e+3]}]',
    ['{"a":[null,true,false,"",[],{},[[]],-1.5e+3]}'],
    {
      printed: ['{"a":[null,true,false,"",[],{},[[]],-1.5e+3]}'],
    },
  ),
  valid(
    'strings longer than any buffer of a library',
    `[{"a":"${'é'.repeat(9000)}","b":"${'x'.repeat(9000)}\\n${'y'.repeat(300)}"}]`,
    [`{"a":"${'é'.repeat(9000)}","b":"${'x'.repeat(9000)}\\n${'y'.repeat(300)}"}`],
  ),
]

const nested = (depth: number): string => `{"result":[{"v":${'['.repeat(depth - 3)}§${']'.repeat(depth - 3)}}]}`
const small = { maxRecordBytes: 100 }
const filler = (length: number): string => 'x'.repeat(length)

const limits: Case[] = [
  valid('500 levels', nested(500).replace('§', ''), [nested(500).replace('§', '').slice(11, -2)]),
  valid('as many levels as are allowed', nested(512).replace('§', ''), [nested(512).replace('§', '').slice(11, -2)]),
  invalid('one level more', 'ERR_DEPTH', nested(513).replace('[§]', '§[]'), { recordIndex: 0 }),
  valid(
    '1,000 levels where the option says so',
    nested(1000).replace('§', ''),
    [nested(1000).replace('§', '').slice(11, -2)],
    {
      options: { maxDepth: 1000 },
    },
  ),
  invalid('too deep in a member that is skipped', 'ERR_DEPTH', `{"meta":${'{"a":'.repeat(511)}§{`),
  invalid(
    '100,000 brackets that never close',
    'ERR_DEPTH',
    `{"result":[{"v":${'['.repeat(509)}§${'['.repeat(100_000)}`,
  ),
  invalid(
    '1,000,000 brackets that never close',
    'ERR_DEPTH',
    `{"result":[{"v":${'['.repeat(509)}§${'['.repeat(1_000_000)}`,
  ),
  invalid('a body of brackets', 'ERR_SCHEMA', `[§${'['.repeat(100_000)}`),
  valid('a record of just the allowed size', `[{},{"a":"${filler(92)}"},{}]`, ['{}', `{"a":"${filler(92)}"}`, '{}'], {
    options: small,
  }),
  invalid('a record of one byte more', 'ERR_RECORD_TOO_LARGE', `[{},{"a":"${filler(93)}"§},{}]`, {
    options: small,
    recordIndex: 1,
  }),
  invalid('a string without an end', 'ERR_RECORD_TOO_LARGE', `[{"a":"${filler(94)}§${filler(1000)}`, {
    options: small,
    recordIndex: 0,
  }),
  invalid(
    'white space without an end inside a record',
    'ERR_RECORD_TOO_LARGE',
    `[{${' '.repeat(99)}§${' '.repeat(1000)}`,
    { options: small, recordIndex: 0 },
  ),
  invalid('keys without an end', 'ERR_RECORD_TOO_LARGE', `[{${'"k":1,'.repeat(16)}"k"§:1,${'"k":1,'.repeat(1000)}`, {
    options: small,
    recordIndex: 0,
  }),
  invalid('an NDJSON record that is too large', 'ERR_RECORD_TOO_LARGE', `{}\n{"a":"${filler(94)}§${filler(9)}"}`, {
    options: { ...small, isNdjson: true },
    recordIndex: 1,
  }),
  invalid(
    'a keyed record that is too large',
    'ERR_RECORD_TOO_LARGE',
    `{"result":{"a":{},"b":{"a":"${filler(94)}§${filler(9)}"}}}`,
    { options: small, recordIndex: 1 },
  ),
  invalid('a bare id that is too large', 'ERR_RECORD_TOO_LARGE', `{"members":["${filler(99)}§"]}`, {
    options: small,
    recordIndex: 0,
  }),
  invalid('a server key that is too large', 'ERR_RECORD_TOO_LARGE', `{"result":{"${filler(99)}§":{}}}`, {
    options: small,
  }),
  invalid('too much before the records', 'ERR_RECORD_TOO_LARGE', `{"meta":"${filler(91)}§${filler(5)}","result":[]}`, {
    options: small,
  }),
  invalid(
    'a skipped member that is too large',
    'ERR_RECORD_TOO_LARGE',
    `{"result":[],"meta":"${filler(99)}§${filler(5)}"}`,
    { options: small },
  ),
  invalid('an envelope key that is too large', 'ERR_RECORD_TOO_LARGE', `{"result":[],"${filler(99)}§${filler(5)}":1}`, {
    options: small,
  }),
  invalid('a first NDJSON record that is too large', 'ERR_RECORD_TOO_LARGE', `{"a":"${filler(94)}§${filler(9)}"}\n{}`, {
    options: small,
  }),
  valid(
    'many members beside the records, each small enough',
    `{"result":[{}],${Array.from({ length: 200 }, (_, i) => `"m${i}":"${filler(80)}"`).join(',')}}`,
    ['{}'],
    { options: small },
  ),
  valid('white space of any length between records', `[{},${' '.repeat(9_000)}{}${'\n'.repeat(9_000)}]`, ['{}', '{}'], {
    options: small,
  }),
  valid(
    'white space of any length before and after the document',
    `${' '.repeat(9_000)}[{}]${'\n'.repeat(9_000)}`,
    ['{}'],
    { options: small },
  ),
]

const tables = {
  framings,
  nullLists,
  strangeLines,
  strangeElements,
  keyedDocuments,
  errorBodies,
  wrongShapes,
  wrongGrammar,
  wrongEncoding,
  cut,
  values,
  limits,
}

/** Runs the whole table against the slicers of one factory.
 *  @param keepsBytes whether records come out as the bytes they came in as */
export function slicerConformance(factory: SlicerFactory, { keepsBytes }: { keepsBytes: boolean }): void {
  for (const [table, cases] of Object.entries(tables)) {
    test.each(cases)(`${table}: $title`, (row) => {
      const { body, byteOffset } = marked(row)
      for (const chunkSize of chunkSizes) {
        const outcome = sliceBody(factory, body, chunkSize, row.options)
        const { failure, facts } = outcome
        if (row.code === undefined) {
          expect(failure?.line).toBeUndefined()
          expect(outcome.records.map((text) => JSON.parse(text))).toEqual(row.records!.map((text) => JSON.parse(text)))
          if (keepsBytes) expect(outcome.records).toEqual(row.records)
          else if (row.printed !== undefined) expect(outcome.records).toEqual(row.printed)
          expect(facts).toMatchObject({ bytes: body.length, ...row.facts, records: row.records!.length })
          expect(outcome.pageKeys).toEqual(row.pageKeys ?? [])
        } else {
          expect(failure).toMatchObject({ code: row.code, page: defaultOptions.page })
          if (byteOffset !== undefined)
            expect(failure).toMatchObject({ byteOffset, line: expect.stringContaining(`byte ${byteOffset}`) })
          if (row.recordIndex !== undefined)
            expect(failure).toMatchObject({
              recordIndex: row.recordIndex,
              line: expect.stringContaining(`record ${row.recordIndex}`),
            })
          expect(failure!.line).toContain(`page ${defaultOptions.page}`)
          expect(failure!.line).toContain(row.says ?? '')
          expect(failure!.line).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/)
        }
      }
      expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
    })
  }

  test('a record of 16 MiB is let out, one byte more is not', () => {
    const limit = defaultOptions.maxRecordBytes
    const page = (record: string): Iterable<Buffer> => chunksOf(Buffer.from(`{"result":[{},${record},{}]}`), 65_536)
    const largest = `{"a":"${filler(limit - 8)}"}`
    const lengths: number[] = []
    const slicer = factory(defaultOptions)
    for (const chunk of page(largest)) {
      for (const batch of slicer.push(chunk)) {
        for (let i = 0; i < batch.count; i++) lengths.push(batch.end(i) - batch.start(i))
      }
    }
    expect(slicer.end()).toEqual([])
    expect(lengths).toEqual([2, limit, 2])
    const larger = page(largest.replace('a', 'ab'))
    expect(() => pushAll(factory(defaultOptions), larger)).toThrow(
      expect.objectContaining({ code: 'ERR_RECORD_TOO_LARGE', recordIndex: 1, byteOffset: 14 + limit }),
    )
  })

  test('an endless string is refused as soon as it passes the limit', () => {
    const slicer = factory({ ...defaultOptions, maxRecordBytes: 1 << 20 })
    pushAll(slicer, [Buffer.from('[{"a":"')])
    const chunk = Buffer.alloc(4096, 'x')
    let chunks = 0
    expect(() => {
      for (; chunks < 1000; chunks++) pushAll(slicer, [chunk])
    }).toThrow('more than 1048576 bytes')
    expect(chunks).toBe(255)
  })

  test('records are let out while the page is still open', () => {
    const slicer = factory(defaultOptions)
    expect(pushAll(slicer, [Buffer.from('{"result":[{"a":1},{"a":2},{"a"')])).toBe(2)
    expect(slicer.facts).toMatchObject({ framing: 'envelope', recordMember: 'result', records: 2 })
    expect(pushAll(slicer, [Buffer.from(':3}')])).toBe(1)
  })

  test('nothing is let out of an object that is not known to hold records', () => {
    const slicer = factory(defaultOptions)
    expect(pushAll(slicer, [Buffer.from('{"a":[{},{}],"b":{"result":[{}]}}\n')])).toBe(0)
    expect(slicer.facts.framing).toBe(null)
    expect(pushAll(slicer, [Buffer.from('{')])).toBe(1)
    expect(slicer.facts.framing).toBe('ndjson')
  })

  const pages: [framing: string, body: string][] = [
    ['envelope', '{"next_cursor":"n","result":[{"a":"é😀"},{"b":[1,{}]},{"c":-1.5e3}],"is_partial_response":false}'],
    ['keyed envelope', '{"result":{"k":{"a":"é"},"l":{"b":true},"m":{"c":null}}}'],
    ['slack', '{"ok":true,"members":[{"a":"\\ud83d\\ude00"},"U2",{"b":1}],"response_metadata":{"next_cursor":"n"}}'],
    ['graph', '{"@odata.context":"c","value":[{"a":1},{"b":"漢"},{"c":[]}],"@odata.nextLink":"https://g/"}'],
    ['array', '[{"a":1},{"b":"漢"},{"c":[true]}]'],
  ]
  test.each(pages)('a page in %s framing that is cut at any byte is never taken as whole', (_framing, text) => {
    const body = Buffer.from(text)
    expect(sliceBody(factory, body)).toMatchObject({ failure: undefined, facts: { records: 3 } })
    for (let length = 0; length < body.length; length++) {
      const code = sliceBody(factory, body.subarray(0, length)).failure?.code
      expect({ length, code }).toEqual({ length, code: 'ERR_BODY_TRUNCATED' })
    }
  })

  test('NDJSON has no end mark: a cut gives whole records or is found', () => {
    const lines = ['{"a":"é"}', '{"b":[1]}', '{"c":null}']
    const body = Buffer.from(`${lines.join('\n')}\n`)
    for (let length = 0; length < body.length; length++) {
      const { failure, records } = sliceBody(factory, body.subarray(0, length), 'whole', { isNdjson: true })
      expect(records).toEqual(lines.slice(0, records.length))
      const isWhole = body.toString('utf8', 0, length).trim() === lines.slice(0, records.length).join('\n')
      expect(failure?.code).toBe(isWhole ? undefined : 'ERR_BODY_TRUNCATED')
    }
  })

  test('documents one after the other are left to one slicer after the other, wherever chunks end', () => {
    const documents = [
      '\ufeff{"result":[{"id":"a"},{"id":"b"}],"next_cursor":"n"}\n',
      '{"next_cursor":"m","result":null}',
      ' [{"id":"c"}] \n\n',
      '{"ok":false,"error":"ratelimited"}',
      '{"members":["d"],"response_metadata":{"next_cursor":""}} \n',
    ]
    const body = Buffer.from(documents.join(''))
    for (const chunkSize of chunkSizes) {
      const seen: unknown[] = []
      let [records, startOffset] = [0, 0]
      let slicer = factory({ ...defaultOptions, isSequence: true })
      const end = (): void => {
        for (const batch of slicer.end()) records += batch.count
        seen.push([slicer.facts.framing, slicer.facts.nextCursor, slicer.facts.error?.error ?? null, records])
        startOffset += slicer.facts.bytes
      }
      for (let chunk of chunksOf(body, chunkSize)) {
        for (;;) {
          for (const batch of slicer.push(chunk)) {
            records += batch.count
            if (batch.byteOffset !== undefined) {
              const from = batch.byteOffset + batch.start(0)
              expect(body.toString('utf8', from, from + batch.slice(0).length)).toBe(batch.text(0))
            }
          }
          const unread = slicer.unreadBytes ?? 0
          if (unread === 0) break
          end()
          chunk = chunk.subarray(chunk.length - unread)
          slicer = factory({ ...defaultOptions, isSequence: true, startOffset })
        }
      }
      end()
      expect(seen).toEqual([
        ['envelope', 'n', null, 2],
        ['envelope', 'm', null, 2],
        ['array', null, null, 3],
        [null, null, 'ratelimited', 3],
        ['slack', null, null, 4],
      ])
      expect(startOffset).toBe(body.length)
    }
  })

  test('one factory slices page after page, also after one that failed', () => {
    expect(sliceBody(factory, '{"result":[{"a":').failure?.code).toBe('ERR_BODY_TRUNCATED')
    expect(sliceBody(factory, '{"result":[{"a":1').failure?.code).toBe('ERR_BODY_TRUNCATED')
    expect(sliceBody(factory, '[{"b":2}]', 2).records).toEqual(['{"b":2}'])
    expect([...chunksOf(Buffer.from('abc'), 2)].map(String)).toEqual(['ab', 'c'])
  })
}

/** The body without its mark, and where the mark was. */
function marked(row: Case): { body: Buffer; byteOffset: number | undefined } {
  if (typeof row.body !== 'string') return { body: row.body, byteOffset: row.byteOffset }
  const at = row.body.indexOf('§')
  if (at < 0) return { body: Buffer.from(row.body), byteOffset: row.byteOffset }
  return { body: Buffer.from(row.body.replace('§', '')), byteOffset: Buffer.byteLength(row.body.slice(0, at)) }
}
