// What is asked, what requests change, and what they are refused with.

import type { JsonRecord, JsonValue } from '../record.js'
import type { Settings } from './options.js'
import type { QueryObject } from './query.js'
import { RateLimiter } from './rate-limits.js'
import type { Answer } from './replies.js'
import type { RecordPool } from './runs.js'

/** A request without its transport. */
export interface ApiRequest {
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly query: QueryObject
  /** What followed `Bearer `. */
  readonly token: string | undefined
}

/** What requests change. */
export interface ApiState {
  readonly settings: Settings
  readonly rateLimiter: RateLimiter
  /** When the emulator started, on its clock. */
  readonly startedMs: number
  /** The provider rejects the account's credentials. */
  isReauthNeeded: boolean
  readonly pools: Map<string, RecordPool>
}

/** The state of an emulator that has just started. */
export function newState(settings: Settings): ApiState {
  return {
    settings,
    rateLimiter: new RateLimiter(),
    startedMs: settings.clock.now(),
    isReauthNeeded: settings.needsReauth,
    pools: new Map(),
  }
}

/** An answer other than 200, thrown to where answers are made. */
export class Refusal extends Error {
  readonly status: number
  readonly body: JsonRecord
  readonly headers: Record<string, string>

  constructor(status: number, body: JsonRecord, headers: Record<string, string> = {}) {
    super(`${status}`)
    this.status = status
    this.body = body
    this.headers = headers
  }
}

export function ok(json: JsonValue): Answer {
  return { status: 200, headers: {}, content: { json } }
}
