// Compiles the WebAssembly kernel before any test, where its sources have changed.

import { execFileSync } from 'node:child_process'

export default function setup(): void {
  execFileSync(process.execPath, ['src/json/engine-simd/build-kernel.mjs'], { cwd: new URL('..', import.meta.url) })
}
