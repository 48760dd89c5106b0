// What a client and the tries of a page are told where nobody says otherwise: the defaults of the table.

import type { RetryPolicy } from '../../src/http/retry.js'
import { exportTable } from '../../src/options/schema.js'

export const defaultDeadlines = {
  connectTimeoutMs: exportTable.connectTimeoutMs.default,
  headTimeoutMs: exportTable.headTimeoutMs.default,
  idleTimeoutMs: exportTable.idleTimeoutMs.default,
}

export const defaultRetryPolicy: RetryPolicy = {
  maxTries: exportTable.tries.default,
  baseMs: exportTable.backoffBaseMs.default,
  maxBackoffMs: exportTable.backoffMaxMs.default,
  maxWaitMs: exportTable.maxWaitMs.default,
}
