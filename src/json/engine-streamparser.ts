// The engine over the Tokenizer of @streamparser/json, which takes bytes and calls back for every token. Its own
// objects are not used: the Tokenizer alone gives a number's text before it becomes a double.

import { Tokenizer, TokenType } from '@streamparser/json'
import { KiB } from '../bytes/units.js'
import { jsSlicers } from './engine-js/engine-js.js'
import { ReprintingSlicer } from './reprinting-slicer.js'
import type { SlicerFactory } from './slicer.js'
import { TokenPrinter, type TokenSource } from './token-printer.js'

/** The factory of the `streamparser` engine. */
export function streamparserSlicers(): SlicerFactory {
  const slicers = jsSlicers()
  return (options) => new ReprintingSlicer(slicers(options), new StreamparserTokens())
}

class StreamparserTokens extends Tokenizer implements TokenSource {
  readonly name = '@streamparser/json'
  readonly #printer = new TokenPrinter()
  #number = ''

  constructor() {
    // Without a buffer a string is kept as one array element per character: many times its bytes, where it is long.
    super({ stringBufferSize: 4 * KiB })
    // The library's decoder drops a U+FEFF at the start of whatever it decodes at a time (`ignoreBOM` of the Encoding
    // Standard is off there), in the middle of strings too.
    const strings = this['bufferedString'] as unknown as { decoder: unknown }
    strings.decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  }

  read(record: Buffer): string {
    this.write(record)
    return this.#printer.take()
  }

  /** Keeps the digits that the value of the token would lose. Called right before `onToken` gets the number. */
  override parseNumber(text: string): number {
    this.#number = text
    return 0
  }

  override onToken({ token, value }: ParsedToken): void {
    const printer = this.#printer
    if (token === TokenType.LEFT_BRACE) printer.open('{')
    else if (token === TokenType.RIGHT_BRACE) printer.close('}')
    else if (token === TokenType.LEFT_BRACKET) printer.open('[')
    else if (token === TokenType.RIGHT_BRACKET) printer.close(']')
    else if (token === TokenType.STRING) printer.string(value as string)
    else if (token === TokenType.COLON) printer.colon()
    else if (token === TokenType.NUMBER) printer.scalar(this.#number)
    else if (token !== TokenType.COMMA) printer.scalar(String(value))
  }
}

type ParsedToken = Parameters<Tokenizer['onToken']>[0]
