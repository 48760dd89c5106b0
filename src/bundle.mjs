// Bundles the modules of the package and of its program into few files: Node.js takes a third of a millisecond for each, and an export loads a hundred. What
// few need is apart and loaded on demand; packages stay what they are.

import { rolldown } from 'rolldown'

const bundle = await rolldown({
  input: { index: 'src/index.ts', 'cli/main': 'src/cli/main.ts' },
  external: (name) => !/^(\.|\/|src\/)/.test(name),
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
  codeSplitting: { groups: [{ name: 'core', minShareCount: 2, test: (id) => !id.includes('/emulator/') }] },
})
