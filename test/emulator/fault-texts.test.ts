import { expect, test } from 'vitest'
import { faultKinds, parseFault } from '../../src/emulator/fault-texts.js'
import { emulatorTable } from '../../src/options/schema.js'

test.each([
  ['page=3,status=503', { kind: 'status', status: 503, page: 3 }],
  ['status=429,retry-after=5,remote', { kind: 'status', status: 429, retryAfter: '5', isRemote: true }],
  ['status=400,message=no\\, not this', { kind: 'status', message: 'no, not this' }],
  ['page=2,cut=1000', { kind: 'cut', at: 1000, page: 2 }],
  [' cut=64KiB , how=rst ', { kind: 'cut', at: 65_536, how: 'rst' }],
  ['cut=record:7', { kind: 'cut', at: { record: 7 } }],
  ['cut=head', { kind: 'cut', at: 'head' }],
  ['stall', { kind: 'stall', at: 'head', ms: undefined }],
  ['stall=record:2,for=1500ms,attempt=every', { kind: 'stall', at: { record: 2 }, ms: 1500, attempt: 'every' }],
  ['drip=10,every=500ms,attempt=2', { kind: 'drip', bytes: 10, everyMs: 500, attempt: 2 }],
  ['redirect=https://x.test/a\\,b,path=/ping', { kind: 'redirect', to: 'https://x.test/a,b', path: '/ping' }],
  ['reauth,page=4', { kind: 'reauth', page: 4 }],
  ['shift=3', { kind: 'shift', by: 3 }],
  ['cursor=x=y', { kind: 'cursor', value: 'x=y' }],
  ['cursor=none', { kind: 'cursor', value: undefined }],
  ['error-in-body=after,code=500', { kind: 'error-in-body', where: 'after', status: 500 }],
  ['error-in-body', { kind: 'error-in-body', where: 'alone' }],
  ['garbage', { kind: 'garbage', bytes: '<html>' }],
  ['gzip=crc', { kind: 'gzip', damage: 'crc' }],
  ['early-close=500', { kind: 'early-close', status: 500 }],
  ['content-length=-3', { kind: 'content-length', by: -3 }],
  ['bomb=string,bytes=2GiB', { kind: 'bomb', of: 'string', bytes: 2 * 1024 ** 3 }],
] as const)('%s', (text, fault) => {
  expect(parseFault(text)).toMatchObject(fault)
})

test.each([
  ['', 'it does nothing'],
  ['page=3', 'it does nothing'],
  ['nope=1', 'it does nothing'],
  ['status=503,stall', 'it is status and stall at once'],
  ['status=503,pag=3', 'status has no pag'],
  ['status=503,status=500', 'status is there twice'],
  ['status', 'status is a whole number'],
  ['status=99', 'status is a whole number'],
  ['page=0,stall', 'page is a whole number from 1'],
  ['attempt=often,stall', 'attempt is a whole number from 1'],
  ['cut=half', 'cut is a byte, record:N or end'],
  ['stall,for=5', 'for is a time'],
  ['gzip=all', 'gzip is one of cut, crc'],
])('%j is refused with what is wrong: %s', (text, why) => {
  expect(() => parseFault(text)).toThrow(why)
  expect(() => parseFault(text)).toThrow(expect.objectContaining({ code: 'ERR_OPTION_INVALID' }))
})

test('the help names every kind', () => {
  for (const kind of faultKinds) expect(emulatorTable.faults.doc).toMatch(new RegExp(`[ ,=]${kind}\\b`))
})
