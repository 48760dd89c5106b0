// Compiles the kernel (assembly/) to WebAssembly and writes it as a module of text, kernel-bytes.ts: the package then has no file to find at run time. Does
// nothing where that file is newer than its sources.

import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import asc from 'assemblyscript/asc'

const here = new URL('./', import.meta.url)
const out = new URL('kernel-bytes.ts', here)

if (isStale()) writeFileSync(out, source(await compile()))

async function compile() {
  const options = '-O3 --converge --noAssert --enable simd --runtime stub --initialMemory 19 --outFile kernel.wasm'
  let binary
  const { error, stderr } = await asc.main(
    [fileURLToPath(new URL('assembly/kernel.ts', here)), ...options.split(' ')],
    { writeFile: (_name, contents) => void (binary = contents) },
  )
  if (error) throw new Error(`compiling the kernel: ${error.message}\n${stderr}`)
  return Buffer.from(binary)
}

function source(binary) {
  const lines = binary
    .toString('base64')
    .match(/.{1,140}/g)
    .map((line) => `  '${line}'`)
  return `// Written by build-kernel.mjs from assembly/: do not edit.

/** The kernel as a WebAssembly module, ${binary.length} bytes. */
export function kernelBytes(): Buffer<ArrayBuffer> {
  return Buffer.from(text, 'base64') as Buffer<ArrayBuffer>
}

const text =
${lines.join(' +\n')}
`
}

function isStale() {
  const sources = readdirSync(new URL('assembly/', here)).map((name) => new URL(`assembly/${name}`, here))
  const changed = Math.max(...[...sources, new URL(import.meta.url)].map((file) => statSync(file).mtimeMs))
  return changed > (statSync(out, { throwIfNoEntry: false })?.mtimeMs ?? 0)
}
