// Compiles the WebAssembly kernels (each from a folder assembly/ in its room) and writes each as a module of text,
// kernel-bytes.ts: the package then has no file to find at run time. Leaves alone what is newer than its sources.

import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import asc from 'assemblyscript/asc'

/** Rooms of the kernels, the pages of memory (64 KiB) that each begins with, and the room whose sources it shares. */
const kernels = [
  { room: 'json/engine-simd', pages: 75 },
  { room: 'encode/columns/kernel', pages: 16 },
  { room: 'encode/csv/kernel', pages: 16, shared: 'encode/columns/kernel' },
  { room: 'encode/parquet/snappy', pages: 4 },
]

for (const { room, pages, shared = room } of kernels) {
  const folder = new URL(`${room}/`, import.meta.url)
  if (isStale(folder, new URL(`${shared}/`, import.meta.url)))
    writeFileSync(new URL('kernel-bytes.ts', folder), source(await compile(folder, pages)))
}

async function compile(folder, pages) {
  const options = `-O3 --converge --noAssert --enable simd --runtime stub --initialMemory ${pages} --outFile kernel.wasm`
  let binary
  const { error, stderr } = await asc.main(
    [fileURLToPath(new URL('assembly/kernel.ts', folder)), ...options.split(' ')],
    { writeFile: (_name, contents) => void (binary = contents) },
  )
  if (error) throw new Error(`compiling the kernel in ${fileURLToPath(folder)}: ${error.message}\n${stderr}`)
  return Buffer.from(binary)
}

function source(binary) {
  const lines = binary
    .toString('base64')
    .match(/.{1,140}/g)
    .map((line) => `  '${line}'`)
  return `// Written by build-kernels.mjs from assembly/: do not edit.

/** The kernel as a WebAssembly module, ${binary.length} bytes. */
export function kernelBytes(): Buffer<ArrayBuffer> {
  return Buffer.from(text, 'base64') as Buffer<ArrayBuffer>
}

const text =
${lines.join(' +\n')}
`
}

function isStale(folder, shared) {
  const sources = [folder, shared].flatMap((room) =>
    readdirSync(new URL('assembly/', room)).map((name) => new URL(`assembly/${name}`, room)),
  )
  const changed = Math.max(...[...sources, new URL(import.meta.url)].map((file) => statSync(file).mtimeMs))
  return changed > (statSync(new URL('kernel-bytes.ts', folder), { throwIfNoEntry: false })?.mtimeMs ?? 0)
}
