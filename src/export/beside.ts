// What a manifest beside an input says of it: an output of ours that is converted has the columns of what it is,
// without being told so again.

import { realpath, stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { MiB } from '../bytes/units.js'
import { decodeManifest, type Manifest, manifestPathOf } from '../checkpoint/manifest.js'
import { factsOf } from '../encode/formats.js'
import { printable } from '../errors.js'
import { systemFiles } from '../files/file-system.js'
import { readWhole } from '../files/whole-file.js'
import type { JsonValue } from '../record.js'
import { declaredSchema } from '../schema/declared.js'
import { type ResourceSchema, unmappedSchema } from '../schema/resource.js'
import type { InputFormat } from '../source/body-source.js'
import { editedSchema } from '../transform/edited-schema.js'
import { parseEdits } from '../transform/parse-edits.js'

/** That of a million parts. */
const maxManifestBytes = 128 * MiB

/** What inputs are, as far as their manifests know it. */
export interface Beside {
  /** How messages name the manifest, or the first of several. */
  readonly manifest: string
  readonly resource: string
  /** The schema of the records that stand there, where that is not the declared one: after selecting, excluding and
   *  renaming. */
  readonly schema: ResourceSchema | null
  readonly inputFormat: InputFormat | null
}

/** What the manifests beside all of these files say alike; null where one has none, or is another file than its
 *  manifest tells of. Never throws. */
export async function besideOf(paths: readonly string[]): Promise<Beside | null> {
  let common: Beside | null = null
  for (const path of paths) {
    const beside = await besideFile(path).catch(() => null)
    if (beside === null) return null
    if (common !== null && JSON.stringify({ ...common, manifest: '' }) !== JSON.stringify({ ...beside, manifest: '' }))
      return null
    common ??= beside
  }
  return common
}

async function besideFile(path: string): Promise<Beside | null> {
  const found = await manifestBeside(path)
  return found && besideBy(found.manifest, found.path)
}

/** The manifest of the output that this file is, or is a part of; null where there is none, or one of another file.
 *  @throws Error */
export async function manifestBeside(path: string): Promise<{ manifest: Manifest; path: string } | null> {
  const file = await realpath(path)
  const { size } = await stat(file)
  const directory = dirname(file)
  const isPart = ({ parts }: Manifest): boolean =>
    parts?.some((part) => part.name === basename(file) && part.bytes === size) ?? false
  return (
    (await readManifest(
      [manifestPathOf(file), `${file}.manifest.json`],
      ({ parts, bytes }) => parts === null && bytes === size,
    )) ?? (await readManifest([manifestPathOf(directory), `${directory}.manifest.json`], isPart))
  )
}

/** The first of these that is the manifest of what is read. */
async function readManifest(
  paths: readonly string[],
  isOfInput: (manifest: Manifest) => boolean,
): Promise<{ manifest: Manifest; path: string } | null> {
  for (const path of paths) {
    // what is no file is not opened: a FIFO would wait for its writer
    if (!(await stat(path).catch(() => null))?.isFile()) continue
    const bytes = await readWhole(systemFiles, path, maxManifestBytes)
    if (bytes === null) continue
    const manifest = decodeManifest(bytes, path)
    if (isOfInput(manifest)) return { manifest, path }
  }
  return null
}

/** What a manifest says of the records; null where it is nothing that is declared. */
export function besideBy({ source, schema, format, options }: Manifest, path: string): Beside | null {
  const { resource, framing, responseFormat } = source
  // what was passed through unmapped has not the fields that are declared
  const isMapped = framing !== 'slack' && framing !== 'graph' && responseFormat !== 'raw' && responseFormat !== 'debug'
  if (resource === '*' || !isMapped) return null
  const declared = declaredSchema(resource)
  const edits = editsOf(options)
  const isEdited = Object.values(edits).some((paths) => (paths as readonly unknown[] | undefined)?.length)
  const isDeclared = declared !== unmappedSchema && schema.version === declared.version
  const isKeyed = typeof options['keyBy'] === 'string' && factsOf(format).columns === null
  return {
    manifest: printable(path),
    resource,
    // another version, so that nobody takes it for the declared one
    schema: isDeclared && isEdited ? { ...editedSchema(declared, edits), version: `${declared.version} edited` } : null,
    inputFormat: isKeyed ? 'keyed' : null,
  }
}

function editsOf(options: Manifest['options']): ReturnType<typeof parseEdits> {
  const [select, exclude, redact, rename] = ['select', 'exclude', 'redact', 'rename'].map((name) =>
    texts(options[name]),
  )
  return parseEdits({ select: select!, exclude: exclude!, redact: redact!, rename: rename! })
}

function texts(value: JsonValue | undefined): string[] {
  return Array.isArray(value) ? value.filter((text) => typeof text === 'string') : []
}
