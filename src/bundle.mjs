// Bundles the modules of the package and of its program into few files: Node.js takes a third of a millisecond for
// each, and an export loads a hundred. `start` has what the program needs in any case, `core` what an export needs
// beyond that; what few need is apart and loaded on demand, and packages stay what they are.

import { cpSync, existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const program = fileURLToPath(new URL('cli/main.ts', import.meta.url))

/** Modules that the program imports at once. */
const atStart = new Set()

const bundle = await rolldown({
  input: { index: 'src/index.ts', 'cli/main': 'src/cli/main.ts' },
  external: (name, _from, isResolved) => !isResolved && !/^(\.|src\/)/.test(name),
  platform: 'node',
  resolve: { extensionAlias: { '.js': ['.ts'] } },
  transform: { target: 'es2023' },
  onLog(_level, log) {
    // the program has a module on demand that the library has at once
    if (log.code !== 'INEFFECTIVE_DYNAMIC_IMPORT') throw new Error(log.message)
  },
})
await bundle.write({
  dir: 'dist',
  entryFileNames: '[name].js',
  chunkFileNames: 'chunks/[name].js',
  codeSplitting: {
    minShareCount: 2,
    groups: [
      { debugName: 'start', name: (id, graph) => (isAtStart(id, graph) ? 'start' : null), priority: 1 },
      { name: 'core', test: (id) => !id.includes('/emulator/') },
    ],
  },
})

// the pages of rooms, which the program prints
for (const room of readdirSync('src')) {
  const page = `${room}/README.md`
  if (existsSync(`src/${page}`)) cpSync(`src/${page}`, `dist/${page}`)
}

function isAtStart(id, graph) {
  if (atStart.size === 0) addStatic(program, graph)
  return atStart.has(id)
}

function addStatic(id, graph) {
  if (atStart.has(id)) return
  atStart.add(id)
  for (const next of graph.getModuleInfo(id)?.importedIds ?? []) addStatic(next, graph)
}
