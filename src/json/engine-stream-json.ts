// The slicer over the tokens of stream-json's parser core, which takes text and returns arrays of tokens. Keys, strings and numbers come packed; a
// number is its own text, so its digits are kept.

import { jsonParser } from 'stream-json/core/parser.js'
import type { SlicerFactory } from './slicer.js'
import { TokenPrinter, type TokenSource } from './token-printer.js'
import { TokenSlicer } from './token-slicer.js'

/** The factory of the `stream-json` engine. */
export function streamJsonSlicers(): SlicerFactory {
  return (options) => new TokenSlicer(options, new StreamJsonTokens())
}

class StreamJsonTokens implements TokenSource {
  readonly name = 'stream-json'
  // `jsonStreaming` lets one document follow another, as in NDJSON. `jsonParser` is the tokenizer without the decoder before it: that decoder is not
  // fatal, so the text it would make of bad bytes is not what was sent.
  readonly #parse = jsonParser({ packValues: true, streamValues: false, jsonStreaming: true })
  readonly #printer = new TokenPrinter()

  read(bytes: Buffer): string {
    const tokens = this.#parse(bytes.toString('utf8'))
    if (typeof tokens === 'symbol') return '' // none ended in this piece
    const printer = this.#printer
    for (const token of tokens.values) {
      switch (token.name) {
        case 'startObject':
          printer.open('{')
          break
        case 'endObject':
          printer.close('}')
          break
        case 'startArray':
          printer.open('[')
          break
        case 'endArray':
          printer.close(']')
          break
        case 'keyValue':
          printer.key(token.value)
          break
        case 'stringValue':
          printer.string(token.value)
          break
        case 'numberValue':
          printer.scalar(token.value)
          break
        case 'trueValue':
        case 'falseValue':
        case 'nullValue':
          printer.scalar(String(token.value))
          break
      }
    }
    return printer.take()
  }
}
