// Keyed hashes in place of values: who has the key can tell which values are equal and can look one up, everybody else can neither read nor guess them.

import { createHmac } from 'node:crypto'
import { stringText } from '../bytes/string-text.js'
import { ConfigError } from '../errors.js'
import type { EditNode } from './field-edits.js'

const leastKeyLength = 16

/** Hashes values with one key. */
export class Redactor {
  readonly #key: string | Uint8Array

  /** @throws ConfigError where `tree` has hashes: ERR_OPTION_MISSING where there is no key, ERR_OPTION_INVALID where it could be found by trying */
  constructor(tree: EditNode, key: string | Uint8Array | undefined) {
    const isNeeded = hasHash(tree)
    if (isNeeded && (key === undefined || key.length === 0)) {
      throw new ConfigError('ERR_OPTION_MISSING', 'there is no key to hash fields with', {
        hint: 'set TRUTO_EXPORT_REDACT_KEY or pass --redact-key-file FILE; in code: redactKey',
      })
    }
    if (isNeeded && key!.length < leastKeyLength) {
      throw new ConfigError('ERR_OPTION_INVALID', `a key of ${key!.length} characters could be found by trying`, {
        hint: `take at least ${leastKeyLength}, such as the output of: openssl rand -hex 32`,
      })
    }
    this.#key = key ?? ''
  }

  /** HMAC-SHA256 of the scalar in `[start, end)` as a JSON string of lower-case hex: of a string's text, escapes resolved, in UTF-8; of anything else as it
   *  stands. So a number and a string of the same digits have the same hash, and however a string is spelled, it has one. */
  hash(bytes: Buffer, start: number, end: number, isString: boolean): Buffer {
    const hmac = createHmac('sha256', this.#key)
    if (isString) hmac.update(stringText(bytes, start, end), 'utf8')
    else hmac.update(bytes.subarray(start, end))
    return Buffer.from(`"${hmac.digest('hex')}"`, 'latin1')
  }
}

function hasHash(node: EditNode): boolean {
  return node.redaction === 'hash' || node.kept().some(([, child]) => hasHash(child))
}
