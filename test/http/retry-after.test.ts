import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type ResponseHeaders, retryAfterMs } from '../../src/http/retry-after.js'

const wallNow = Date.UTC(2026, 10, 23, 12, 0, 0)
const date = 'Mon, 23 Nov 2026 09:00:00 GMT'

test.each<[string, ResponseHeaders, number | undefined]>([
  ['nothing asked for', {}, undefined],
  ['seconds', { 'retry-after': '2' }, 2000],
  ['zero seconds', { 'retry-after': '0' }, 0],
  ['seconds with blanks around them', { 'retry-after': ' 10 ' }, 10_000],
  ['seconds with a fraction', { 'retry-after': '1.5' }, 1500],
  ['several values: the longest', { 'retry-after': ['2', '30', '5'] }, 30_000],
  ['several values folded into one: the longest', { 'retry-after': '2, 30' }, 30_000],
  ['seconds and a date folded into one', { date, 'retry-after': '2, Mon, 23 Nov 2026 09:00:05 GMT' }, 5000],
  ['two dates folded', { date, 'retry-after': 'Mon, 23 Nov 2026 09:00:05 GMT, Mon, 23 Nov 2026 09:00:04 GMT' }, 5000],
  ['seconds with parameters', { 'retry-after': '10;w=60' }, 10_000],
  ['several values with parameters', { 'retry-after': '10;w=60, 30 ; w=600' }, 30_000],
  ['a date with parameters', { date, 'retry-after': 'Mon, 23 Nov 2026 09:00:05 GMT;w=60' }, 5000],
  ['a point in time in seconds', { date, 'retry-after': '1795424407' }, 7000],
  ['a point in time in milliseconds', { date, 'retry-after': '1795424407250' }, 7250],
  ['a point in time that has passed', { date, 'retry-after': '1795424399' }, 0],
  ['a point in time that has passed, in milliseconds', { date, 'retry-after': '1795424399000' }, 0],
  ['a point in time with a fraction and a parameter', { date, 'retry-after': '1795424407.5;w=60' }, 7500],
  ['the longest wait of seconds that is one', { 'retry-after': '999999999' }, 999_999_999_000],
  ['a number beside words', { 'retry-after': '2, soon' }, undefined],
  ['a reset that is a point in time', { date, 'ratelimit-reset': '1795424407' }, 7000],
  ['a reset that is a point in time in milliseconds', { date, 'ratelimit-reset': '1795424407250' }, 7250],
  ['a reset that is a point in the past', { date, 'ratelimit-reset': '1795424399' }, 0],
  ['a date, counted from the Date of the answer', { date, 'retry-after': 'Mon, 23 Nov 2026 09:00:05 GMT' }, 5000],
  ['a date without a Date beside it, counted from our clock', { 'retry-after': 'Mon, 23 Nov 2026 12:00:07 GMT' }, 7000],
  ['a date that has passed', { date, 'retry-after': 'Mon, 23 Nov 2026 08:00:00 GMT' }, 0],
  ['a date in the form of RFC 850', { date, 'retry-after': 'Monday, 23-Nov-26 09:00:05 GMT' }, 5000],
  ['a date in the form of asctime', { date, 'retry-after': 'Mon Nov 23 09:00:05 2026' }, 5000],
  ['an unreadable Date', { date: 'today', 'retry-after': 'Mon, 23 Nov 2026 12:00:07 GMT' }, 7000],
  ['words', { 'retry-after': 'soon' }, undefined],
  ['a negative number', { 'retry-after': '-5' }, undefined],
  ['a number in another notation', { 'retry-after': '1e3' }, undefined],
  ['a day that no month has', { date, 'retry-after': 'Tue, 31 Feb 2026 09:00:05 GMT' }, undefined],
  ['a month that no year has', { date, 'retry-after': 'Mon, 23 Foo 2026 09:00:05 GMT' }, undefined],
  ['an empty value', { 'retry-after': '' }, undefined],
  ['a reset alone', { 'ratelimit-reset': '7' }, 7000],
  [
    'a reset with a limit and its window',
    { 'ratelimit-limit': '110;w=10', 'ratelimit-remaining': '0', 'ratelimit-reset': '4' },
    4000,
  ],
  ['a limit and its window alone', { 'ratelimit-limit': '110;w=10', 'ratelimit-remaining': '0' }, undefined],
  ['several resets: the longest', { 'ratelimit-reset': ['3', '60', '5'] }, 60_000],
  ['several resets in one line, with parameters', { 'ratelimit-reset': '3;w=10, 60;w=600' }, 60_000],
  ['an unreadable reset beside a readable one', { 'ratelimit-reset': 'x, 5' }, 5000],
  ['Retry-After before the reset', { 'retry-after': '2', 'ratelimit-reset': '60' }, 2000],
  ['an unreadable Retry-After beside a reset', { 'retry-after': 'soon', 'ratelimit-reset': '60' }, 60_000],
  ['RateLimit', { ratelimit: '"default";r=0;t=30' }, 30_000],
  ['RateLimit with blanks and a name that is a token', { ratelimit: ' default ; r=0 ; t=30' }, 30_000],
  ['RateLimit with a name that looks like its parameters', { ratelimit: '"a,b;t=9\\"";r=0;t=30' }, 30_000],
  ['RateLimit of two limits: the one that is used up', { ratelimit: '"hour";r=9;t=3000, "burst";r=0;t=7' }, 7000],
  ['RateLimit of two limits that are used up', { ratelimit: ['"hour";r=0;t=3000', '"burst";r=0;t=7'] }, 3_000_000],
  ['RateLimit that says how long alone', { ratelimit: '"default";t=30' }, 30_000],
  [
    'RateLimit without a time, and its policy',
    { ratelimit: '"b";r=0', 'ratelimit-policy': '"a";q=9;w=60, "b";q=100;w=10' },
    10_000,
  ],
  ['a policy alone', { 'ratelimit-policy': '"default";q=100;w=10' }, undefined],
  ['RateLimit in its older form', { ratelimit: 'limit=100, remaining=0, reset=30' }, 30_000],
  ['RateLimit that cannot be read', { ratelimit: '"default' }, undefined],
  ['the reset before RateLimit', { 'ratelimit-reset': '5', ratelimit: '"default";r=0;t=30' }, 5000],
  ['Retry-After before RateLimit', { 'retry-after': '2', ratelimit: '"default";r=0;t=30' }, 2000],
  ['a reset under a name that Truto does not use', { 'x-ratelimit-reset': '60' }, undefined],
])('%s', (_, headers, expected) => {
  expect(retryAfterMs(headers, wallNow)).toBe(expected)
})

test('whatever the headers say, the wait is undefined or a number that is not negative', () => {
  const value = fc.oneof(fc.string(), fc.stringMatching(/^[\d ,;.w=-]{0,12}$/), fc.integer().map(String))
  fc.assert(
    fc.property(value, value, value, value, (retryAfter, reset, date, ratelimit) => {
      const ms = retryAfterMs({ 'retry-after': retryAfter, 'ratelimit-reset': reset, date, ratelimit }, wallNow)
      expect(ms === undefined || (Number.isSafeInteger(ms) && ms >= 0)).toBe(true)
    }),
    { numRuns: process.env['TRUTO_EXPORT_SOAK'] === '1' ? 50_000 : 500 },
  )
})

test('any moment is read in each of its three forms', () => {
  fc.assert(
    fc.property(fc.integer({ min: 946_684_800, max: 4_102_444_799 }), (seconds) => {
      const [weekday, day, month, year, time] = new Date(seconds * 1000).toUTCString().replace(',', '').split(' ')
      const forms = [
        `${weekday}, ${day} ${month} ${year} ${time} GMT`,
        `Someday, ${day}-${month}-${year!.slice(2)} ${time} GMT`,
        `${weekday} ${month} ${day!.replace(/^0/, ' ')} ${time} ${year}`,
      ]
      for (const form of forms)
        expect(retryAfterMs({ 'retry-after': form }, 946_684_800_000)).toBe(seconds * 1000 - 946_684_800_000)
    }),
  )
})
