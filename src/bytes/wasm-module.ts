// A WebAssembly module that is part of the program, compiled when it is first asked for, and instances of it.

import { InternalError } from '../errors.js'

/** Gives the module of these bytes, compiled once; null where this runtime has no WebAssembly SIMD, or no memory for
 *  it. */
export function moduleOf(bytes: () => Buffer<ArrayBuffer>): () => WebAssembly.Module | null {
  let compiled: WebAssembly.Module | null | undefined
  return () => {
    if (compiled === undefined) {
      try {
        compiled = new WebAssembly.Module(bytes())
      } catch {
        compiled = null
      }
    }
    return compiled
  }
}

/** The exports of a new instance; null where there is no address space for its memory. V8 reserves gigabytes of
 *  addresses for any memory of WebAssembly, which `ulimit -v` may not allow. @param name in the error of an instance
 *  that gives up, as one does that gets no more memory */
export function instanceOf<Exports>(module: WebAssembly.Module, name: string): Exports | null {
  const abort = (): never => {
    throw new InternalError('ERR_INTERNAL', `the kernel of ${name} gave up: no more memory`)
  }
  try {
    return new WebAssembly.Instance(module, { env: { abort } }).exports as Exports
  } catch (error) {
    if (error instanceof RangeError) return null
    throw error
  }
}
