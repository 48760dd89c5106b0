// From the options to the source of the records: a list of Truto, or bodies that were saved.

import type { SourceState } from '../checkpoint/checkpoint.js'
import { factsOf } from '../encode/formats.js'
import type { HttpClient } from '../http/client.js'
import type { Warning } from '../record.js'
import type { Progress } from '../report.js'
import { BodySource } from '../source/body-source.js'
import { freshToken } from '../source/fresh-token.js'
import type { Input } from '../source/inputs.js'
import type { PagedSource } from '../source/paged-source.js'
import { checkRequirements, type ListRequest, listUrl } from '../source/request.js'
import type { SourceOptions } from '../source/source.js'
import { TrutoSource, type TrutoSourceOptions } from '../source/truto-source.js'
import { version } from '../version.js'
import { expectedSchema } from './declared-fields.js'
import { columnSchema, excludedByServer, rowGroupCuts } from './edits.js'
import { compressionCutOf, identityInit } from './identity.js'
import { type Checked, isStream } from './options.js'

export interface OpenSource {
  /** The list, from its beginning or from a state. `onPage` as in `TrutoSource`. */
  source(from?: SourceState | null, onPage?: TrutoSourceOptions['onPage']): PagedSource
  /** The files that it is read from. */
  readonly inputs: readonly Input[]
  readonly warnings: readonly Warning[]
  close(): Promise<void>
}

export interface OpenSourceInit {
  /** Whether somebody reads the `fields` of its batches. */
  readonly withFields?: boolean
  readonly progress?: Progress | undefined
  /** Asks in place of one of our own, with the limits that it was made with. It stays the caller's, who closes it. */
  readonly client?: HttpClient | undefined
}

/** @throws ConfigError for what is wrong with the request, or with an input */
export async function openSource(checked: Checked, init: OpenSourceInit = {}): Promise<OpenSource> {
  const { resolved, input } = checked
  const shared = sharedOptions(checked, init)
  if (input !== undefined) {
    // The user names the resource where the body holds unified records: nothing in a saved body proves it.
    const source = new BodySource(input, { ...shared, isUnified: resolved.resource !== null })
    await source.open()
    return { source: () => source, inputs: source.inputs, warnings: [], close: () => source.close() }
  }
  const request = listRequestOf(checked)
  checkRequirements(request)
  // what is wrong with the parameters is known before a destination is opened
  listUrl(new URL(resolved.apiUrl), request, { cursor: resolved.cursor, responseFormat: 'stream' })
  const client = init.client ?? (await openClient(checked))
  const options = { ...shared, ...listOptions(checked, client), request }
  return {
    source: (from = null, onPage) => new TrutoSource({ ...options, from, onPage }),
    inputs: [],
    warnings: client.warnings,
    close: async () => {
      if (client !== init.client) await client.close()
    },
  }
}

/** A client for lists of these options: many exports can share it. Whoever opens it closes it. */
export async function openClient({ resolved, privacy, onEvent, clock }: Checked): Promise<HttpClient> {
  // undici is half of what starting costs, and a converted file needs none of it
  const { HttpClient } = await import('../http/client.js')
  return new HttpClient({
    apiUrl: new URL(resolved.apiUrl),
    token: resolved.token,
    connectTimeoutMs: resolved.connectTimeoutMs,
    headTimeoutMs: resolved.headTimeoutMs,
    idleTimeoutMs: resolved.idleTimeoutMs,
    allowInsecureHttp: resolved.allowInsecureHttp,
    debugBodies: resolved.debugBodies,
    userAgent: `truto-export/${version}`,
    maxDecodedRatio: resolved.maxDecodedRatio,
    pacing: {
      accountRequests: resolved.accountRequests,
      tokenRequests: resolved.tokenRequests,
      windowMs: resolved.rateWindowMs,
    },
    redactor: privacy.redactor,
    ...(onEvent ? { onDetail: (message: string) => onEvent({ kind: 'detail', message }) } : {}),
    ...(resolved.ca === null ? {} : { ca: resolved.ca }),
    ...(clock ? { clock } : {}),
  })
}

/** What all sources are told. */
function sharedOptions(checked: Checked, { withFields = false, progress }: OpenSourceInit): SourceOptions {
  const { resolved, transform, signal, onEvent, clock } = checked
  const { redact: _fields, partBytes, partRows: partRecords, ...settings } = resolved // what a source calls redact is something else
  const cuts = { ...(isStream(transform) ? {} : cutsOf(checked)), partBytes, partRecords }
  return { ...settings, ...cuts, withFields, signal, onEvent, progress, ...(clock ? { clock } : {}) }
}

/** How a list is asked for. */
function listOptions({ resolved, privacy, refreshToken, clock, signal }: Checked, client: HttpClient) {
  const refresh = async (): Promise<void> => {
    const token = await freshToken(refreshToken!, { timeoutMs: resolved.tokenTimeoutMs, clock, signal })
    privacy.useToken(token)
    client.setToken(token)
  }
  return {
    client,
    redact: client.redact,
    cursors: privacy,
    apiUrl: new URL(resolved.apiUrl),
    responseFormat: resolved.responseFormat,
    cursor: resolved.cursor,
    retry: {
      maxTries: resolved.tries,
      baseMs: resolved.backoffBaseMs,
      maxBackoffMs: resolved.backoffMaxMs,
      maxWaitMs: resolved.maxWaitMs,
    },
    ...(refreshToken ? { refresh } : {}),
    refreshTimeoutMs: resolved.tokenTimeoutMs,
  }
}

/** Where a list is cut, so that what stands before a cut can be kept: where row groups of Parquet end, and what is
 *  compressed is flushed. */
function cutsOf(checked: Checked): { cutBytes?: number; cutRecords?: number } {
  const { resolved } = checked
  if (factsOf(resolved.format).cuts === 'row groups')
    return rowGroupCuts(columnSchema(expectedSchema(resolved), resolved), resolved)
  const cutBytes = compressionCutOf(identityInit(checked))
  return cutBytes === null ? {} : { cutBytes }
}

/** The request, with the exclusions that the server may do for us. They are done again here, because `stream` may
 *  ignore them. */
function listRequestOf({ resolved, transform }: Checked): ListRequest {
  return {
    resource: resolved.resource!, // resolveOptions requires it where there is no input
    account: resolved.account ?? undefined,
    workspace: resolved.workspace ?? undefined,
    channel: resolved.channel ?? undefined,
    integration: resolved.integration ?? undefined,
    limit: resolved.limit ?? undefined,
    ignoreLimit: resolved.ignoreLimit,
    ...excludedByServer(resolved, transform !== undefined),
    query: resolved.query,
    rawQuery: resolved.queryRaw ?? undefined,
  }
}
