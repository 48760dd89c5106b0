// Where things are in the kernel's memory, addresses and sizes in bytes, and how it is given out: in blocks of a power
// of two, which go back to a list of their size. Memory never moves and never shrinks: what one row group took, the
// next one uses again.

/** What a call tells, u32 each. */
export const resultAt: usize = 64
/** Powers of ten as doubles, 10^0 to 10^22: each of them exact. */
export const powersAt: usize = 128
/** First free block of each size, u32, by the power of two. */
const freeAt: usize = 512
/** 16 bytes of ones, then 16 of zeros. */
export const masksAt: usize = 640
/** Constants for reading date-times. */
export const timestampsAt: usize = 704
/** Keys of a record that its schema does not name: for each u32 the record's stamp and u32 a hash. */
export const unknownKeysAt: usize = 4096
export const unknownKeysBits: u32 = 12
/** Fields of the record in hand whose values have another type somewhere: addresses, u32. */
export const flawedAt: usize = 36864
export const maxFlawed: u32 = 1024
/** Fields of the record in hand whose values are kept in `extra`, in the order of the schema: for each u32 address,
 *  start and end of its value. */
export const keptAt: usize = 40960
export const keptBytes: usize = 12
export const maxKept: u32 = 1024
/** Everything else is given out. */
const heapAt: usize = 65536

const pageBytes: usize = 65536
/** Smallest block. */
const minPower: u32 = 9
/** Memory grows by half of what there is, and by no less than so many pages: each time all views of it have to be made
 *  again, and V8 counts what is new as garbage to collect for. What nobody touches takes no memory of the machine. */
const growPages: i32 = 64

let top: usize = heapAt

/** Takes back all blocks and forgets what fixed places hold, as if the instance were new, but for the contents of
 *  blocks. */
export function restart(): void {
  top = heapAt
  memory.fill(resultAt, 0, heapAt - resultAt)
}

/** A block of at least `size` bytes. Its contents are arbitrary. */
export function allocate(size: usize): usize {
  const power = powerOf(size)
  const slot = freeAt + (usize(power) << 2)
  const block = usize(load<u32>(slot))
  if (block != 0) {
    store<u32>(slot, load<u32>(block))
    return block
  }
  const at = top
  top += <usize>1 << power
  const held = usize(memory.size()) * pageBytes
  if (top > held) {
    const pages = i32((top - held + pageBytes - 1) / pageBytes)
    if (memory.grow(max(pages, max(growPages, memory.size() >> 1))) < 0 && memory.grow(pages) < 0) abort()
  }
  return at
}

/** Gives back a block that was asked for with `size`. */
export function release(block: usize, size: usize): void {
  const slot = freeAt + (usize(powerOf(size)) << 2)
  store<u32>(block, load<u32>(slot))
  store<u32>(slot, u32(block))
}

/** Bytes that a block for `size` bytes really has. */
export function blockBytes(size: usize): usize {
  return <usize>1 << powerOf(size)
}

// @ts-ignore: decorator
@inline
function powerOf(size: usize): u32 {
  return size <= (<usize>1 << minPower) ? minPower : 32 - u32(clz<u32>(u32(size) - 1))
}
