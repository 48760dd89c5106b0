// `npm run matrix`: the tests that hold the fault matrix, and the matrix as their report.

import { defineConfig, mergeConfig } from 'vitest/config'
import base from '../vitest.config.js'
import { rows } from './rows.js'

const files = new Set(rows.flatMap(({ tests = [] }) => tests.map(([file]) => file)))

export default mergeConfig(
  { ...base, test: { ...base.test, include: [] } },
  defineConfig({
    test: {
      include: ['test/faults/matrix.test.ts', ...files],
      reporters: ['./test/faults/matrix-reporter.ts'],
    },
  }),
)
