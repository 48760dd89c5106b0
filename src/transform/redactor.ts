// Keyed hashes in place of values: who has the key can tell which values are equal and can look one up, everybody else
// can neither read nor guess them.

import { createHmac } from 'node:crypto'
import { stringText } from '../bytes/string-text.js'
import { ConfigError } from '../errors.js'
import type { EditNode } from './field-edits.js'

const leastKeyBytes = 16

/** Hashes values with one key. */
export class FieldRedactor {
  readonly #key: Uint8Array

  /** @param key bytes, or a text that stands for its UTF-8
   *  @throws ConfigError where `tree` has hashes: ERR_OPTION_MISSING where there is no key, ERR_OPTION_INVALID where it
   *  could be found by trying */
  constructor(tree: EditNode, key: string | Uint8Array | undefined) {
    this.#key = typeof key === 'string' ? Buffer.from(key) : (key ?? new Uint8Array(0))
    if (hasHash(tree)) checkKey(this.#key)
  }

  /** HMAC-SHA256 of the scalar in `[start, end)` as a JSON string of lower-case hex: of a string's text, escapes
   *  resolved, in UTF-8; of anything else as it stands. So a number and a string of the same digits have the same hash,
   *  and however a string is spelled, it has one. */
  hash(bytes: Buffer, start: number, end: number, isString: boolean): Buffer {
    const hmac = createHmac('sha256', this.#key)
    if (isString) hmac.update(stringText(bytes, start, end), 'utf8')
    else hmac.update(bytes.subarray(start, end))
    return Buffer.from(`"${hmac.digest('hex')}"`, 'latin1')
  }
}

function checkKey(key: Uint8Array): void {
  if (key.length === 0) {
    throw new ConfigError('ERR_OPTION_MISSING', 'there is no key to hash fields with', {
      hint: 'set TRUTO_EXPORT_REDACT_KEY or pass --redact-key-file FILE; in code: redactKey',
    })
  }
  const isAlike = key.every((byte) => byte === key[0])
  if (key.length >= leastKeyBytes && !isAlike) return
  const what = key.length < leastKeyBytes ? `of ${key.length} bytes` : 'of one byte over and over'
  throw new ConfigError('ERR_OPTION_INVALID', `a key ${what} could be found by trying`, {
    hint: `take at least ${leastKeyBytes} bytes, such as the output of: openssl rand -hex 32`,
  })
}

function hasHash(node: EditNode): boolean {
  return node.redaction === 'hash' || node.kept().some(([, child]) => hasHash(child))
}
