// The engine over the tokens of stream-json's parser core, which takes text and returns arrays of tokens. Keys, strings
// and numbers come packed; a number is its own text, so its digits are kept.

import { jsonParser } from 'stream-json/core/parser.js'
import { jsSlicers } from './engine-js/engine-js.js'
import { ReprintingSlicer } from './reprinting-slicer.js'
import type { SlicerFactory } from './slicer.js'
import { TokenPrinter, type TokenSource } from './token-printer.js'

/** The factory of the `stream-json` engine. */
export function streamJsonSlicers(): SlicerFactory {
  const slicers = jsSlicers()
  return (options) => new ReprintingSlicer(slicers(options), new StreamJsonTokens())
}

class StreamJsonTokens implements TokenSource {
  readonly name = 'stream-json'
  // `jsonStreaming` lets one document follow another: each record is one. `jsonParser` is the tokenizer without the
  // decoder before it.
  readonly #parse = jsonParser({ packValues: true, streamValues: false, jsonStreaming: true })
  readonly #printer = new TokenPrinter()

  read(record: Buffer): string {
    const tokens = this.#parse(record.toString('utf8'))
    if (typeof tokens === 'symbol') return '' // none ended
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
