// The part of the WebAssembly JavaScript interface that the kernel's driver uses (WebAssembly JavaScript Interface,
// §5): the types of Node 20 leave it to those of browsers, which this project does not load.

declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array<ArrayBuffer>)
  }
  class Instance {
    constructor(module: Module, imports: Record<string, Record<string, () => void>>)
    readonly exports: Record<string, unknown>
  }
  class Memory {
    readonly buffer: ArrayBuffer
    grow(pages: number): number
  }
}
