// Split block Bloom filters (BloomFilter.md of parquet-format): by these a reader passes over row groups that do not
// have the one value it looks for, where bounds say nothing, as of ids in no order.

import type { LeafColumn } from '../columns/leaf.js'
import { ThriftWriter } from './thrift.js'
import type { Turn } from './turn.js'
import { xxHash64 } from './xxhash64.js'

/** Of 100 values that are not there, about one seems to be. */
const falsePositives = 0.01

const bytesPerBlock = 32
/** One for each of the eight words of a block (BloomFilter.md, "salt"). */
const salts = [0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d, 0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31] as const

/** Ids of the fields of parquet.thrift BloomFilterHeader. In its three unions the only choices are BLOCK, XXHASH and
 *  UNCOMPRESSED, all 1. */
const headerId = { size: 1, algorithm: 2, hash: 3, compression: 4 } as const

/** Values between two looks at the clock. */
const valuesPerTurn = 1000

/** The filter of a column of text, header included; null where it has no value. */
export async function bloomFilter({ values, count }: LeafColumn, turn: Turn): Promise<Buffer | null> {
  if (count === 0) return null
  const distinct = values.kind === 'dictionary' ? values.count : count
  const { bytes } = values
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const bits = new Uint32Array(filterBytes(distinct) / 4)
  for (let at = 0, seen = 1; at < bytes.length; seen++) {
    const end = at + 4 + view.getUint32(at, true)
    insert(bits, xxHash64(bytes, at + 4, end))
    at = end
    if (seen % valuesPerTurn === 0 && turn.isOver) await turn.take()
  }
  return Buffer.concat([header(bits.byteLength), littleEndian(bits)])
}

/** Bytes of a filter of `distinct` values: a power of two. */
function filterBytes(distinct: number): number {
  const bits = (-8 * distinct) / Math.log(1 - falsePositives ** (1 / 8))
  return Math.max(bytesPerBlock, 2 ** Math.ceil(Math.log2(bits / 8)))
}

/** The upper half of the hash chooses the block, the lower one a bit in each of its words. */
function insert(bits: Uint32Array, hash: bigint): void {
  const blocks = bits.byteLength / bytesPerBlock
  const block = Number(((hash >> 32n) * BigInt(blocks)) >> 32n)
  const key = Number(hash & 0xffffffffn) | 0
  for (let word = 0; word < salts.length; word++) {
    bits[8 * block + word]! |= 1 << (Math.imul(key, salts[word]!) >>> 27)
  }
}

function header(size: number): Buffer {
  const thrift = new ThriftWriter()
  const onlyChoice = (): void => thrift.struct(1, () => {})
  thrift.element(() => {
    thrift.i32(headerId.size, size)
    thrift.struct(headerId.algorithm, onlyChoice)
    thrift.struct(headerId.hash, onlyChoice)
    thrift.struct(headerId.compression, onlyChoice)
  })
  return thrift.take()
}

function littleEndian(words: Uint32Array): Buffer {
  const bytes = Buffer.alloc(words.byteLength)
  for (const [index, word] of words.entries()) bytes.writeUInt32LE(word, 4 * index)
  return bytes
}
