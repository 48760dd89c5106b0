import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AuthError, DataError, UpstreamError } from '../../src/errors.js'
import { Redactor, redactor, shortUrl } from '../../src/http/redact.js'

const secret = 'tok-5f0c7f2e+A/b="x'
const redact = redactor([secret])

const escaped = (text: string, print: (code: number, character: string) => string): string =>
  [...text].map((character) => print(character.charCodeAt(0), character)).join('')
const hex = (code: number): string => code.toString(16).padStart(2, '0')

/** Ways to spell a text. */
const spellings: Record<string, (text: string) => string> = {
  'as it is': (text) => text,
  'in lower case': (text) => text.toLowerCase(),
  'in upper case': (text) => text.toUpperCase(),
  'as a part of a URL': encodeURIComponent,
  'percent-encoded all over': (text) => escaped(text, (code) => `%${hex(code).toUpperCase()}`),
  'percent-encoded twice': (text) => escaped(text, (code) => `%25${hex(code)}`),
  'percent-encoded here and there': (text) => escaped(text, (code, c) => (code % 3 === 0 ? `%${hex(code)}` : c)),
  'as JSON': (text) => JSON.stringify(text).slice(1, -1),
  'as JSON in JSON': (text) => JSON.stringify(JSON.stringify(text)).slice(3, -3),
  'as JSON with every escape': (text) => escaped(text, (code) => `\\u00${hex(code)}`),
  'as JSON with slashes escaped': (text) => JSON.stringify(text).slice(1, -1).replaceAll('/', '\\/'),
  'as HTML': (text) => escaped(text, (code, c) => (/\w/.test(c) ? c : `&#${code};`)),
  'as HTML in hex': (text) => escaped(text, (code, c) => (/\w/.test(c) ? c : `&#x${hex(code)};`)),
  'as HTML with names': (text) =>
    escaped(text, (_, c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' })[c] ?? c),
  'as HTML in a URL': (text) => encodeURIComponent(text.replaceAll('"', '&quot;').replaceAll('&', '&amp;')),
  'in hex': (text) => Buffer.from(text).toString('hex'),
  'in base64': (text) => Buffer.from(text).toString('base64'),
  'in base64url': (text) => Buffer.from(text).toString('base64url'),
  'in base64 in a URL': (text) => encodeURIComponent(Buffer.from(text).toString('base64')),
  'in lower case, in base64': (text) => Buffer.from(text.toLowerCase()).toString('base64'),
  'in upper case, in base64': (text) => Buffer.from(text.toUpperCase()).toString('base64'),
  'as a part of a URL, in base64': (text) => Buffer.from(encodeURIComponent(text)).toString('base64'),
}

describe.each(Object.entries(spellings))('a secret %s', (_, spell) => {
  test('is taken out wherever it stands', () => {
    const spelled = spell(secret)
    for (const [before, after] of [
      ['', ''],
      ['a ', ' b'],
      ['{"token":"', '"}'],
      ['https://x.org/?a=1&t=', '&b=%20'],
      ['ÄÖÜ 100% \\n &amp; ', ' İ\ud800 \\u00e9'],
    ]) {
      expect(redact(`${before}${spelled}${after}`)).toBe(`${before}[redacted]${after}`)
      expect(redact(`${before}${spelled}|${spelled}${after}`)).toBe(`${before}[redacted]|[redacted]${after}`)
    }
  })
})

test('a secret inside of what was encoded is taken out, whatever stands before and after it', () => {
  fc.assert(
    fc.property(
      fc.stringMatching(/^[\x21-\x7e]{6,80}$/),
      fc.string({ maxLength: 20 }),
      fc.string({ maxLength: 20 }),
      fc.constantFrom('base64' as const, 'base64url' as const),
      (token, before, after, encoding) => {
        const encoded = Buffer.from(`${before}${token}${after}`).toString(encoding)
        const clean = redactor([token])(`Basic ${encoded}!`)
        expect(clean).toContain('[redacted]')
        // what is left of it are whole groups beside the secret, and no bit of it
        const left = clean.replace(/^Basic |!$/g, '').split(/(?:\[redacted\])+/)
        const inBytes = (text: string): string => Buffer.from(text, encoding).toString('latin1')
        const prefix = inBytes(left[0]!)
        expect(Buffer.from(before).toString('latin1').startsWith(prefix.slice(0, -1))).toBe(true)
      },
    ),
    { numRuns: process.env['TRUTO_EXPORT_SOAK'] === '1' ? 20_000 : 500 },
  )
})

test('any token is found in any spelling, and text without it stays as it is', () => {
  const token = fc.stringMatching(/^[\x21-\x7e]{12,200}$/)
  const around = fc.string({ maxLength: 30 })
  fc.assert(
    fc.property(token, around, around, fc.constantFrom(...Object.values(spellings)), (text, before, after, spell) => {
      const clean = redactor([text])(`${before} ${spell(text)} ${after}`)
      expect(clean.toLowerCase()).not.toContain(spell(text).toLowerCase())
      expect(clean).toContain('[redacted]')
      expect(redactor(['a token that nobody has said'])(before)).toBe(before)
    }),
    { numRuns: process.env['TRUTO_EXPORT_SOAK'] === '1' ? 20_000 : 1000 },
  )
})

test.each([
  ['as HTML in a URL', `${'\\'.repeat(11)}"`],
  ['as HTML in a URL', `\\x\\"${'\\'.repeat(10)}`],
  ['percent-encoded here and there', `\\\\&#26${'\\'.repeat(7)}`],
  ['percent-encoded here and there', `\\\\\\&#56${'\\'.repeat(6)}`],
  ['percent-encoded here and there', '\\!!!!!!'],
])('a token that looks like escapes is found %s: %j', (name, token) => {
  const spelled = spellings[name]!(token)
  expect(redactor([token])(`a ${spelled} b`)).toBe('a [redacted] b')
})

test.each(['', 'short', null, undefined])('%j is no secret', (value) => {
  expect(redactor([value])(`a short ${value} text`)).toBe(`a short ${value} text`)
})

test('a secret that was learned of later is taken out of a text that was clean before', () => {
  const redactor = new Redactor([secret])
  expect([redactor.text('a later one'), redactor.text('a later one')]).toEqual(['a later one', 'a later one'])
  redactor.add('later one')
  expect(redactor.text('a later one')).toBe('a [redacted]')
})

test('a secret that begins another, or overlaps itself, leaves nothing of either', () => {
  expect(redactor(['abcdef', 'abcdefghi'])('xabcdefghix')).toBe('x[redacted]x')
  expect(redactor(['abcabc'])('xabcabcabcx')).toBe('x[redacted]x')
})

test('a secret is taken out however often it is there', () => {
  const times = 300_000
  expect(redact(`${secret}|`.repeat(times)).length).toBe('[redacted]|'.length * times)
})

test('a part of a secret is known at an ellipsis', () => {
  expect(redact(`the field "tok-5f0…" and …A/b="x!`)).toBe('the field "[redacted]…" and …[redacted]!')
  expect(redact('to… and …"x')).toBe('to… and …"x')
})

test.each(Object.entries(spellings))('a secret %s has no part left where an encoder has cut it', (_, spell) => {
  const said = `${'x'.repeat(80)} ${spell(secret)}`
  // what a name is cut to, wherever the secret stands in it
  for (let length = 81; length < said.length; length++) {
    const clean = redact(`the field "${said.slice(0, length)}…"`)
    const left = clean.replace('[redacted]', '').replace(/^the field "x+ |…"$/g, '')
    // three characters of it at the most, and what an escape began with
    expect([left, left.length <= maxLeft]).toEqual([left, true])
  }
})
const maxLeft = 3 * 6 + 5

describe('text around a place', () => {
  const text = `{"id":"1","token":"${secret}","name":"Ada"}`
  const at = text.indexOf(secret)
  const around = (index: number, shown = 5) => JSON.parse(new Redactor([secret]).around({ text, at: index, shown }))

  test('is cut after its secrets are out', () => {
    expect(around(3)).toBe('{"id":"1')
    expect(around(at + 6)).toBe('[redacted]')
    expect(around(at + 3)).toBe(':"[redacted]')
    expect(around(at, 8)).toBe('token":"[redacted]')
    expect(around(at + secret.length + 2)).toBe('[redacted]","name')
    expect(around(text.length, 8)).toBe('e":"Ada"}'.slice(-8))
  })

  test('has no part of one that was cut before', () => {
    const half = new Redactor([secret])
    expect(half.around({ text: `${secret.slice(8)}","name"`, at: 14, shown: 20 })).toBe(
      JSON.stringify('[redacted]","name"'),
    )
    expect(half.around({ text: `"a":"${secret.slice(0, 9)}`, at: 8, shown: 20 })).toBe(
      JSON.stringify('"a":"[redacted]'),
    )
  })
})

describe('an error', () => {
  test('loses its secrets in all of it, and stays the same error', () => {
    const socket = Object.assign(new Error(`read ${secret}`), { host: secret, socket: { peer: [secret] } })
    const cause = new AggregateError([socket], `all failed: ${secret}`, { cause: new Error(secret) })
    const error = new UpstreamError('ERR_CONNECT', `no connection: ${secret}`, {
      cause,
      hint: `not ${secret}`,
      left: secret,
      insight: { [secret]: { a: [secret, 1, null] } },
    })
    expect(new Redactor([secret]).error(error)).toBe(error)
    expect(error).toMatchObject({
      message: 'no connection: [redacted]',
      hint: 'not [redacted]',
      left: '[redacted]',
      insight: { '[redacted]': { a: ['[redacted]', 1, null] } },
      cause: { message: 'all failed: [redacted]', cause: { message: '[redacted]' } },
    })
    expect(socket).toMatchObject({ message: 'read [redacted]', host: '[redacted]', socket: { peer: ['[redacted]'] } })
    for (const one of [error, cause, socket, cause.cause as Error]) expect(one.stack).not.toContain('5f0c7f2e')
  })

  test('that is its own cause, or no error at all, does no harm', () => {
    const error = new AuthError('ERR_UNAUTHORIZED', secret)
    error.cause = error
    expect(new Redactor([secret]).error(error).message).toBe('[redacted]')
    for (const thrown of [undefined, null, 5, secret, Object.freeze(new Error('x'))])
      expect(new Redactor([secret]).error(thrown)).toBe(thrown)
  })

  test('keeps what is not text', () => {
    const parts = { bytes: Buffer.from('abc'), at: new Date(0), deep: { a: { b: 1 } } }
    const error = Object.assign(new Error('x'), parts)
    new Redactor([secret]).error(error)
    for (const [name, value] of Object.entries(parts)) expect(Reflect.get(error, name)).toBe(value)
  })

  test('shows data only where somebody asks for it', () => {
    const data = { lead: ', near ', text: `"a":"${secret}"`, at: 5, shown: 20 }
    const error = () => new DataError('ERR_JSON_SYNTAX', 'found x', { data })
    const redactor = new Redactor([secret])
    expect(redactor.error(error()).message).toBe('found x')
    const shown = redactor.error(error(), (surroundings) => redactor.around(surroundings))
    expect(shown.message).toBe(`found x, near ${JSON.stringify('"a":"[redacted]"')}`)
    expect(shown.stack).toContain(shown.message)
  })
})

test('parsed JSON is the same object where there is nothing to take out', () => {
  const value = { a: [{ b: 'c' }], d: null }
  expect(new Redactor([secret]).value(value)).toBe(value)
  expect(new Redactor([secret]).value({ a: [secret], [secret]: 1 })).toEqual({ a: ['[redacted]'], '[redacted]': 1 })
})

test('a URL is shortened after its secrets are out', () => {
  const url = new URL(
    `https://x.org/list?next_cursor=${'c'.repeat(10)}${encodeURIComponent(secret)}${'c'.repeat(50)}&limit=5`,
  )
  expect(shortUrl(url, redact)).toBe('https://x.org/list?next_cursor=cccccccc…&limit=5')
  const first = new URL(`https://x.org/list?next_cursor=${encodeURIComponent(secret)}${'c'.repeat(50)}`)
  expect(shortUrl(first, redact)).toBe('https://x.org/list?next_cursor=[redacte…')
})
