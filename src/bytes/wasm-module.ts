// A WebAssembly module that is part of the program, compiled when it is first asked for.

/** Gives the module of these bytes, compiled once; null where this runtime has no WebAssembly SIMD, or no memory for it. */
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
