// Watches the escapes of a body for halves of surrogate pairs (`\ud800`), so that text without any is not read for them
// a second time.

/** What an escape is of a surrogate pair: \ud8.. to \udb.. is the first half, \udc.. to \udf.. the second. */
const Half = { None: 0, Possible: 1, First: 2, Second: 3 } as const
/** Bytes of \ud800. */
const escapeBytes = 6

export class HalfWatch {
  /** Whether a record of the batch in hand has half of a pair, and whether the one that is open has, as far as it is
   *  known. */
  isSuspect = false
  isOpenSuspect = false
  /** What the escape in hand is by its first two digits. */
  #half: number = Half.None
  /** Body offset after a first half, which makes the open record suspect until its second half comes; and whether it
   *  was before. */
  #pairAt = -1
  #wasSuspect = false

  /** Takes the first and the second digit of an escape, when 4 and 3 are left. */
  noteDigit(left: number, byte: number): void {
    if (left === 4) this.#half = (byte | 0x20) === 0x64 ? Half.Possible : Half.None
    else if (this.#half === Half.Possible)
      this.#half = byte < 0x38 ? Half.None : (byte | 0x20) < 0x63 ? Half.First : Half.Second
  }

  /** The escape in hand ends before body offset `end`. */
  endEscape(end: number): void {
    if (this.#half === Half.None) return
    const isFirst = this.#half === Half.First
    this.#half = Half.None
    const isPair = !isFirst && this.#pairAt === end - escapeBytes
    if (isPair) this.isOpenSuspect = this.#wasSuspect
    else {
      this.#wasSuspect = this.isOpenSuspect
      this.isOpenSuspect = true
    }
    this.#pairAt = isFirst ? end : -1
  }

  /** The record that was open is in the batch now. */
  endRecord(): void {
    if (this.isOpenSuspect) this.isSuspect = true
    this.isOpenSuspect = this.#wasSuspect = false
    this.#pairAt = -1
  }

  /** Whether the batch in hand is free of them; what is asked next is about the next batch. */
  takeVerdict(): boolean {
    const isWellFormed = !this.isSuspect
    this.isSuspect = false
    return isWellFormed
  }
}
