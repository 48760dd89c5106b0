// Drives the kernel (assembly/), which compresses pages by snappy.

import { instanceOf, moduleOf } from '../../../bytes/wasm-module.js'
import { ConfigError } from '../../../errors.js'
import { kernelBytes } from './kernel-bytes.js'

interface KernelExports {
  memory: WebAssembly.Memory
  bound(length: number): number
  compress(from: number, length: number, out: number, isLong: boolean): number
  freeAt: { readonly value: number }
}

const wasmPageBytes = 65536
/** After the text so much is read. */
const slackBytes = 16

const kernelModule = moduleOf(kernelBytes)

/** Compresses a text, by long matches alone where it is JSON. What it gives is a view of its memory, valid until the
 *  next call.
 *  @throws ConfigError ERR_RUNTIME_MISSING where this runtime has no WebAssembly, or no address space for its memory */
export function snappyCompressor(): (bytes: Uint8Array, isJson?: boolean) => Uint8Array {
  const module = kernelModule()
  if (module === null) {
    throw new ConfigError('ERR_RUNTIME_MISSING', 'snappy needs WebAssembly, which this Node.js does not have')
  }
  const kernel = instanceOf<KernelExports>(module, 'snappy')
  if (kernel === null) {
    throw new ConfigError('ERR_RUNTIME_MISSING', 'there is no address space for snappy, as under ulimit -v', {
      hint: 'gzip in Parquet needs none, and NODE_OPTIONS=--disable-wasm-trap-handler makes Node.js need far less of it',
    })
  }
  const textAt = kernel.freeAt.value
  let memory = new Uint8Array(kernel.memory.buffer)
  return (bytes, isJson = false) => {
    const outAt = textAt + bytes.length + slackBytes
    const missing = outAt + kernel.bound(bytes.length) - memory.length
    if (missing > 0) {
      kernel.memory.grow(Math.ceil(missing / wasmPageBytes))
      memory = new Uint8Array(kernel.memory.buffer)
    }
    memory.set(bytes, textAt)
    return memory.subarray(outAt, outAt + kernel.compress(textAt, bytes.length, outAt, isJson))
  }
}
