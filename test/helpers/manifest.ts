// Manifests beside outputs: whether they are there, and whether they tell the truth.

import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { expect } from 'vitest'
import { decodeManifest, encodeManifest, type Manifest } from '../../src/checkpoint/manifest.js'
import type { ExportReport } from '../../src/report.js'

/** A manifest of some output. */
export const someManifest: Manifest = {
  manifestVersion: 1,
  format: 'ndjson',
  compression: 'none',
  records: 2,
  bytes: 30,
  sha256: 'a'.repeat(64),
  complete: true,
  source: {
    resource: 'instant-messaging/members',
    apiUrl: 'https://api.truto.one/',
    account: 'acc',
    workspace: null,
    channel: 'C1',
    query: ['remote_query'],
    recordsRead: 3,
    pages: 4,
    emptyPages: 1,
    partialPages: 0,
    countMismatches: 2,
    firstCursorSha256: null,
    lastCursorSha256: 'b'.repeat(64),
    requestedResponseFormat: 'auto',
    responseFormat: 'unified',
    framing: 'envelope',
    fallback: { page: 1, framing: 'slack', reason: 'no result' },
  },
  schema: { resource: '*', version: 1, columns: [{ name: 'id', type: 'string' }] },
  options: { limit: null, exclude: ['a'], keyBy: 'id' },
  fingerprint: 'c'.repeat(64),
  warnings: [{ code: 'some', message: 'of it', count: 3 }],
  versions: { trutoExport: '0.1.0', node: '20.20.2', engine: 'simd', parquetWriter: null },
  run: {
    startedAt: '2026-11-24T10:02:11.000Z',
    finishedAt: '2026-11-24T10:02:12.000Z',
    requests: 5,
    retries: 1,
    waitMs: 500,
    bodyBytes: 900,
    resumedFrom: { page: 2, records: 1, bytes: 15, savedAt: '2026-11-24T10:02:10.000Z' },
    duplicates: { records: 1, isExact: false },
  },
}

export function readManifest(path: string): Manifest {
  return decodeManifest(readFileSync(`${path}.manifest.json`), 'it')
}

/** Puts a true manifest beside a file that is there. */
export function writeManifest(path: string): void {
  const { bytes, sha256 } = factsOf(path)
  writeFileSync(`${path}.manifest.json`, encodeManifest({ ...someManifest, bytes, sha256 }))
}

/** A manifest tells of the file that it stands beside, or is not there. Says whether it is. */
export function expectNoLie(path: string): boolean {
  if (!existsSync(`${path}.manifest.json`)) return false
  const { bytes, sha256 } = readManifest(path)
  expect({ bytes, sha256 }).toEqual(factsOf(path))
  return true
}

/** The manifest is there and says what the report says. */
export function expectManifest(path: string, report: ExportReport): void {
  const manifest = readManifest(path)
  const { records, recordsRead, pages, outputBytes, digest, complete, framing, warnings, requests } = report
  expect(manifest).toMatchObject({
    records,
    bytes: outputBytes,
    sha256: digest?.hex ?? null,
    complete,
    warnings,
    source: { recordsRead, pages, framing },
    run: { requests },
  })
  expect(manifest.bytes).toBe(factsOf(path).bytes)
  if (manifest.sha256 !== null) expect(manifest.sha256).toBe(factsOf(path).sha256)
}

function factsOf(path: string): { bytes: number; sha256: string } {
  const bytes = readFileSync(path)
  return { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }
}
