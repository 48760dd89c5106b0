// undici's parser of HTTP is WebAssembly, most of it one function of 33 KB. Called some fifty times, V8 optimises it, which takes 30 MB of memory and some
// tenths of a second of another thread's time: in every export longer than a few megabytes the largest peak there is, for a parser that has next to nothing
// to do with a body. How often is often is fixed for a module when it is compiled.

import { setFlagsFromString } from 'node:v8'

/** V8's default of --wasm-tiering-budget in each Node.js of which it is known (`node --v8-options`). */
const usualBudgets: Record<string, number> = { 20: 1_800_000, 22: 13_000_000, 24: 13_000_000, 25: 13_000_000 }
const usualBudget = usualBudgets[process.versions.node.split('.')[0]!]

let isWanted = false

/** From now on the parser is compiled to stay as it is. It sets a flag of V8 for a moment, which is for a program to decide, not for a library. */
export function keepParserSmall(): void {
  isWanted = usualBudget !== undefined
}

/** Does `connect`, within which undici compiles its parser the first time, and nobody else anything. */
export function withSmallParser(connect: () => void): void {
  if (!isWanted) {
    connect()
    return
  }
  isWanted = false
  setFlagsFromString('--wasm-tiering-budget=2147483647')
  try {
    connect()
  } finally {
    setFlagsFromString(`--wasm-tiering-budget=${usualBudget}`)
  }
}
