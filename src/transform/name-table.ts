// Tells what is meant by the key that a walker stands on, by the key's bytes: no text is made of it unless it is
// spelled with an escape.

import type { MemberWalker } from '../bytes/members.js'
import { fieldNameBytes } from './field-path.js'

/** Values by the names of members. */
export class NameTable<T> {
  readonly #values = new Map<string, T>()
  /** The values by the length of their names in UTF-8: most keys of a record are told apart by that alone. */
  readonly #byLength: { bytes: Buffer; value: T }[][] = []

  /** Number of names. */
  get size(): number {
    return this.#values.size
  }

  /** In the order in which they were added. */
  names(): string[] {
    return [...this.#values.keys()]
  }

  get(name: string): T | undefined {
    return this.#values.get(name)
  }

  /** Adds a name that is not in the table yet. */
  add(name: string, value: T): void {
    this.#values.set(name, value)
    const bytes = fieldNameBytes(name)
    if (bytes === null) return
    while (this.#byLength.length <= bytes.length) this.#byLength.push([]) // dense: holes would slow the look-up
    this.#byLength[bytes.length]!.push({ bytes, value })
  }

  clear(): void {
    this.#values.clear()
    this.#byLength.length = 0
  }

  /** The value of the member that `walker` stands on, undefined where its name is not in the table. */
  find(walker: MemberWalker): T | undefined {
    if (walker.keyHasEscape) return this.#values.get(walker.key())
    const { bytes, keyStart } = walker
    const length = walker.keyEnd - keyStart
    const candidates = this.#byLength[length]
    if (candidates === undefined) return undefined
    next: for (let c = 0; c < candidates.length; c++) {
      const name = candidates[c]!.bytes
      for (let i = 0; i < length; i++) if (bytes[keyStart + i] !== name[i]) continue next
      return candidates[c]!.value
    }
    return undefined
  }
}
