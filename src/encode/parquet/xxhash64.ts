// XXH64 with seed 0, by its specification (xxHash, doc/xxhash_spec.md): the hash of Parquet's Bloom filters.

const prime1 = 0x9e3779b185ebca87n
const prime2 = 0xc2b2ae3d27d4eb4fn
const prime3 = 0x165667b19e3779f9n
const prime4 = 0x85ebca77c2b2ae63n
const prime5 = 0x27d4eb2f165667c5n

/** The hash of `bytes[start..end)`, unsigned. */
export function xxHash64(bytes: Uint8Array, start: number, end: number): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = start
  let hash = prime5
  if (end - start >= 32) {
    const lanes: [bigint, bigint, bigint, bigint] = [u64(prime1 + prime2), prime2, 0n, u64(-prime1)]
    for (; at + 32 <= end; at += 32) {
      for (let lane = 0; lane < 4; lane++) lanes[lane] = round(lanes[lane]!, view.getBigUint64(at + 8 * lane, true))
    }
    hash = u64(rotated(lanes[0], 1n) + rotated(lanes[1], 7n) + rotated(lanes[2], 12n) + rotated(lanes[3], 18n))
    for (const lane of lanes) hash = u64((hash ^ round(0n, lane)) * prime1 + prime4)
  }
  hash = u64(hash + BigInt(end - start))
  for (; at + 8 <= end; at += 8) {
    hash = u64(rotated(hash ^ round(0n, view.getBigUint64(at, true)), 27n) * prime1 + prime4)
  }
  if (at + 4 <= end) {
    hash = u64(rotated(hash ^ u64(BigInt(view.getUint32(at, true)) * prime1), 23n) * prime2 + prime3)
    at += 4
  }
  for (; at < end; at++) hash = u64(rotated(hash ^ u64(BigInt(bytes[at]!) * prime5), 11n) * prime1)
  hash = u64((hash ^ (hash >> 33n)) * prime2)
  hash = u64((hash ^ (hash >> 29n)) * prime3)
  return hash ^ (hash >> 32n)
}

function round(lane: bigint, word: bigint): bigint {
  return u64(rotated(u64(lane + word * prime2), 31n) * prime1)
}

function rotated(value: bigint, bits: bigint): bigint {
  return u64(value << bits) | (value >> (64n - bits))
}

function u64(value: bigint): bigint {
  return BigInt.asUintN(64, value)
}
