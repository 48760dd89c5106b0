// The RLE and bit-packing hybrid (Encodings.md of parquet-format, RLE = 3), in which levels and dictionary indices are
// written.

/** Values from which on a repetition is a run of its own: packed, they would take a whole group. */
const minRun = 8

/** Bits that hold the numbers 0 to `greatest`. */
export function widthOf(greatest: number): number {
  return 32 - Math.clz32(greatest)
}

/** Bytes that `count` values of `width` bits take at most. */
export function hybridBound(count: number, width: number): number {
  // packed as a whole, or in the worst case a run of eight, 5 bytes, and a packed group with a head of its own by turns
  return (Math.ceil(count / 8) + 1) * (width + 5) + 8
}

/**
 * Writes `values[from..to)`, each of `width` bits (1 to 16), into `out` from `at` on, which has to have `hybridBound`
 * bytes there. Of each repetition of eight or more, as many values as the group of eight in hand lacks are packed, and
 * the rest is a run if it is still eight or more; all else is packed.
 * @returns where the next byte goes
 */
export function writeHybrid(
  values: Uint8Array | Uint16Array,
  from: number,
  to: number,
  width: number,
  out: Uint8Array,
  at: number,
): number {
  let packedFrom = from // what is not written yet begins here
  let index = from
  while (index < to) {
    const value = values[index]!
    let end = index + 1
    while (end < to && values[end] === value) end++
    // packed values come in eights: up to seven of the repetition fill the group before it
    const start = index + ((8 - ((index - packedFrom) & 7)) & 7)
    if (end - start >= minRun) {
      at = writePacked(values, packedFrom, start, width, out, at)
      at = writeVarint((end - start) * 2, out, at)
      out[at++] = value & 0xff
      if (width > 8) out[at++] = value >>> 8
      packedFrom = end
    }
    index = end
  }
  return writePacked(values, packedFrom, to, width, out, at)
}

/** One packed run, filled up with zeros to a whole group. */
function writePacked(
  values: Uint8Array | Uint16Array,
  from: number,
  to: number,
  width: number,
  out: Uint8Array,
  at: number,
): number {
  if (from === to) return at
  const groups = Math.ceil((to - from) / 8)
  at = writeVarint(groups * 2 + 1, out, at)
  const end = at + groups * width
  let bits = 0
  let held = 0
  for (let index = from; index < to; index++) {
    bits |= values[index]! << held
    held += width
    while (held >= 8) {
      out[at++] = bits & 0xff
      bits >>>= 8
      held -= 8
    }
  }
  if (held > 0) out[at++] = bits
  while (at < end) out[at++] = 0
  return at
}

function writeVarint(value: number, out: Uint8Array, at: number): number {
  while (value >= 0x80) {
    out[at++] = (value & 0x7f) | 0x80
    value >>>= 7
  }
  out[at++] = value
  return at
}
