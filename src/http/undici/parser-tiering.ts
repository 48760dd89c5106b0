// undici's parser of HTTP is WebAssembly, most of it one function of 33 KB. Called some fifty times, V8 optimises it,
// which takes 30 MB of memory and some tenths of a second of another thread's time: in every export longer than a few
// megabytes the largest peak there is, for a parser that has next to nothing to do with a body. Whether and when a
// module is optimised is settled when it is compiled.

import { setFlagsFromString } from 'node:v8'
import { isMainThread } from 'node:worker_threads'

/** Flags of V8 that are on in the Node.js versions named below: with them off, all of a module is compiled at once, and
 *  as it is it stays. */
const flags = ['wasm-tier-up', 'wasm-dynamic-tiering', 'wasm-lazy-compilation']
const knownVersions = ['20', '22', '24', '25']
const version = process.versions.node.split('.')[0]!

/** Node.js 20 waits at its end for what V8 is still optimising: a program that left `records()` early would stand there
 *  for up to a second. */
let isWanted = version === '20' && isMainThread

/** From now on the parser is compiled to stay as it is. It sets flags of V8 for a moment, which are those of all
 *  threads: but where it has to be so, that is for a program to decide, not for a library. */
export function keepParserSmall(): void {
  isWanted = knownVersions.includes(version)
}

/** Does `connect`, within which undici compiles its parser the first time, and nobody else anything. */
export function withSmallParser(connect: () => void): void {
  if (!isWanted) {
    connect()
    return
  }
  isWanted = false
  for (const flag of flags) setFlagsFromString(`--no-${flag}`)
  try {
    connect()
  } finally {
    for (const flag of flags) setFlagsFromString(`--${flag}`)
  }
}
