// What is particular to the engines over a library: what the library is given, and what becomes of its errors.

import { expect, test } from 'vitest'
import type { TokenSource } from '../../src/json/token-printer.js'
import { TokenSlicer } from '../../src/json/token-slicer.js'
import { chunkSizes, chunksOf, defaultOptions, pushAll, sliceBody } from './slicing.js'

/** Stands for a library: compact JSON without captured members is the text of its tokens as it is. */
class Echo implements TokenSource {
  readonly name = 'echo'
  readonly pieces: Buffer[] = []
  read(bytes: Buffer): string {
    this.pieces.push(Buffer.from(bytes))
    return bytes.toString()
  }
}

test.each(chunkSizes)(
  'a library gets every byte once and in order, in whole characters, without the byte order mark (chunks of %s)',
  (cuts) => {
    const text = '{"é":"漢","result":[{"a":"é漢😀"},{"😀":"\ufeff"}],"z":[1,2]} \n'
    const echo = new Echo()
    const slicer = new TokenSlicer(defaultOptions, echo)
    pushAll(slicer, chunksOf(Buffer.from(`\ufeff${text}`), cuts))
    expect(slicer.end()).toEqual([])
    expect(Buffer.concat(echo.pieces).toString()).toBe(text)
    expect(echo.pieces.map((piece) => piece.toString()).join('')).toBe(text)
  },
)

test('text that a library refuses although its grammar is right is a syntax error that names the library', () => {
  const refusing = (): TokenSource => ({
    name: 'picky',
    read(bytes) {
      if (bytes.includes('x')) throw new Error('no\nway')
      return bytes.toString()
    },
  })
  const { failure } = sliceBody((options) => new TokenSlicer(options, refusing()), '{"result":[{},{"a":"x"}]}')
  expect(failure).toMatchObject({ code: 'ERR_JSON_SYNTAX', page: 3, recordIndex: 1 })
  expect(failure!.line).toContain('picky cannot read the body: no\\u{a}way')
})

test('a chunk is not kept: its bytes may change once the push is over', () => {
  const slicer = new TokenSlicer(defaultOptions, new Echo())
  const body = Buffer.from('{"result":[{"a":"é"}]}')
  const [first, second] = [Buffer.from(body.subarray(0, 18)), body.subarray(18)] // cuts the é
  pushAll(slicer, [first])
  first.fill(0)
  const texts: string[] = []
  for (const batch of slicer.push(second)) texts.push(batch.text(0))
  expect(texts).toEqual(['{"a":"é"}'])
})
