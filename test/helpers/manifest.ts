// Manifests beside outputs: whether they are there, and whether they tell the truth.

import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { decodeManifest, encodeManifest, type Manifest } from '../../src/checkpoint/manifest.js'
import { sideNames } from '../../src/files/side-names.js'
import type { ExportReport } from '../../src/report.js'

/** A manifest of some output. */
export const someManifest: Manifest = {
  manifestVersion: 1,
  format: 'ndjson',
  compression: 'none',
  records: 2,
  bytes: 30,
  parts: null,
  frames: null,
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
    resumedFrom: { page: 2, records: 1, bytes: 15, savedAt: '2026-11-24T10:02:10.000Z', ageMs: 900 },
    duplicates: { records: 1, isExact: false },
  },
}

export function readManifest(path: string): Manifest {
  return decodeManifest(readFileSync(sideNames(path).manifest), 'it')
}

/** Puts a true manifest beside a file that is there. */
export function writeManifest(path: string): void {
  writeFileSync(sideNames(path).manifest, encodeManifest({ ...someManifest, ...factsOf(path) }))
}

/** A manifest tells of the file that it stands beside, or is not there. Says whether it is. */
export function expectNoLie(path: string): boolean {
  if (!existsSync(sideNames(path).manifest)) return false
  const { bytes, parts, sha256 } = readManifest(path)
  expect({ bytes, parts, sha256 }).toEqual(factsOf(path))
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
  const { bytes, parts, sha256 } = factsOf(path)
  expect([manifest.bytes, manifest.parts]).toEqual([bytes, parts])
  if (manifest.sha256 !== null) expect(manifest.sha256).toBe(sha256)
}

/** Of a directory those of its parts, one after the other. */
function factsOf(path: string): Pick<Manifest, 'bytes' | 'parts' | 'sha256'> {
  const names = statSync(path).isDirectory() ? readdirSync(path).sort() : null
  const parts = names?.map((name) => ({ name, bytes: statSync(join(path, name)).size })) ?? null
  const bytes = Buffer.concat((names ?? ['']).map((name) => readFileSync(join(path, name))))
  return { bytes: bytes.length, parts, sha256: createHash('sha256').update(bytes).digest('hex') }
}
