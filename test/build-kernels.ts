// Compiles the WebAssembly kernels before any test, where their sources have changed.

import { execFileSync } from 'node:child_process'

export default function setup(): void {
  execFileSync(process.execPath, ['src/build-kernels.mjs'], { cwd: new URL('..', import.meta.url) })
}
