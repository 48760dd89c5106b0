// Drives the kernel (assembly/), which compresses pages by snappy.

import { moduleOf } from '../../../bytes/wasm-module.js'
import { ConfigError, InternalError } from '../../../errors.js'
import { kernelBytes } from './kernel-bytes.js'

interface KernelExports {
  memory: WebAssembly.Memory
  bound(length: number): number
  compress(from: number, length: number, out: number): number
  freeAt: { readonly value: number }
}

const wasmPageBytes = 65536
/** Behind the text so much is read. */
const slackBytes = 16

const kernelModule = moduleOf(kernelBytes)

/** Compresses a text. What it gives is a view of its memory, valid until the next call.
 *  @throws ConfigError ERR_RUNTIME_MISSING where this runtime has no WebAssembly, or no address space for its memory */
export function snappyCompressor(): (bytes: Uint8Array) => Uint8Array {
  const module = kernelModule()
  if (module === null) {
    throw new ConfigError('ERR_RUNTIME_MISSING', 'snappy needs WebAssembly, which this Node.js does not have')
  }
  const kernel = newKernel(module)
  const textAt = kernel.freeAt.value
  let memory = new Uint8Array(kernel.memory.buffer)
  return (bytes) => {
    const outAt = textAt + bytes.length + slackBytes
    const missing = outAt + kernel.bound(bytes.length) - memory.length
    if (missing > 0) {
      kernel.memory.grow(Math.ceil(missing / wasmPageBytes))
      memory = new Uint8Array(kernel.memory.buffer)
    }
    memory.set(bytes, textAt)
    return memory.subarray(outAt, outAt + kernel.compress(textAt, bytes.length, outAt))
  }
}

function newKernel(module: WebAssembly.Module): KernelExports {
  try {
    return new WebAssembly.Instance(module, { env: { abort } }).exports as unknown as KernelExports
  } catch (error) {
    // V8 reserves gigabytes of addresses for any memory of WebAssembly, which `ulimit -v` may not allow
    if (!(error instanceof RangeError)) throw error
    throw new ConfigError('ERR_RUNTIME_MISSING', 'there is no address space for snappy, as under ulimit -v', {
      cause: error,
      hint: 'gzip in Parquet needs none, and NODE_OPTIONS=--disable-wasm-trap-handler makes Node.js need far less of it',
    })
  }
}

function abort(): never {
  throw new InternalError('ERR_INTERNAL', 'the kernel of snappy gave up')
}
