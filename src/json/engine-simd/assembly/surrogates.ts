// Whether there is half of a surrogate pair among the escapes of a scan: in variables of the module, since a scan has
// no register to spare for what nearly no block has.

/** Whether one was met; also where the bytes end between two halves. */
export let hasLoneSurrogate: bool = false
/** Where the `u` of the second half of a pair is, 0 for none. */
let secondAt: usize = 0

/** Call where a scan begins. */
export function beginSurrogates(): void {
  hasLoneSurrogate = false
  secondAt = 0
}

/** Takes the escapes `\u…` of a block by their `u`, block by block. Up to 9 bytes after the block are read. */
export function noteSurrogates(block: usize, unicode: u64): void {
  const spaces = i8x16.splat(0x20)
  const letters = i8x16.splat(0x64) // d
  /** Bytes of the block whose next byte is a d. */
  let ds: u64 = 0
  for (let at: usize = 0; at < 64; at += 16) {
    const digits = v128.or(v128.load(block + at + 1), spaces)
    ds |= u64(u32(i8x16.bitmask(i8x16.eq(digits, letters)))) << u64(at)
  }
  let found = unicode & ds
  while (found != 0) {
    const at = block + usize(ctz(found))
    found &= found - 1
    const digit = load<u8>(at, 2)
    if (digit < 0x38) continue // \ud0 to \ud7
    if ((digit | 0x20) >= 0x63) {
      // the second half
      if (at != secondAt) hasLoneSurrogate = true
    } else if (load<u16>(at, 5) == 0x755c && (load<u8>(at, 7) | 0x20) == 0x64 && (load<u8>(at, 8) | 0x20) >= 0x63) {
      secondAt = at + 6
    } else hasLoneSurrogate = true
  }
}
