import { defineConfig } from 'vitest/config'

// One file runs the fast suite and, with TRUTO_EXPORT_SOAK=1 (npm run test:soak), the same properties over many more
// cases.
const isSoak = process.env['TRUTO_EXPORT_SOAK'] === '1'

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/build-kernels.ts',
    pool: 'forks',
    maxWorkers: 2,
    // for what hangs: a machine that others use as well takes as long as it takes
    testTimeout: isSoak ? 3_600_000 : 900_000,
    hookTimeout: 900_000,
  },
})
