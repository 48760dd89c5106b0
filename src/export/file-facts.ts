// What a file of ours is, for who is to read it: by the manifest beside it, else by the file itself and what flags say.

import { open, readdir, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { MiB } from '../bytes/units.js'
import { decodeManifest, type Manifest, manifestPathOf } from '../checkpoint/manifest.js'
import type { Column } from '../encode/columns/layout.js'
import { type Codec, extensionOf, extensionsOf, type Format, factsOf } from '../encode/formats.js'
import { parquetColumns } from '../encode/parquet/read-columns.js'
import { ConfigError, printable } from '../errors.js'
import { systemFiles } from '../files/file-system.js'
import { errnoOf, outputError } from '../files/os-error.js'
import { readRange } from '../files/read-range.js'
import { readWhole } from '../files/whole-file.js'
import { dialectOf, type FileFacts, instantUnitOf } from '../readers/facts.js'
import type { JsonValue } from '../record.js'
import { declaredSchema } from '../schema/declared.js'
import { isScalarKind, type ResourceSchema } from '../schema/resource.js'
import { besideBy, manifestBeside } from './beside.js'
import { type LayoutChoices, layoutFor } from './edits.js'

/** What is known where there is no manifest, by the names of options in code. */
export interface GivenFacts {
  readonly format: Format | null
  readonly compress: Codec | null
  readonly keyBy: string | null
  /** Null where the file is to be asked. */
  readonly schema: ResourceSchema | null
  readonly options: { readonly [name: string]: JsonValue }
}

/** All but the columns. */
export type Outline = Omit<FileFacts, 'columns'>

export interface Described {
  readonly outline: Outline
  /** The columns, where the manifest or the file tells them. */
  readonly columns: readonly Column[] | null
  /** How messages name the manifest; null where there is none. */
  readonly manifest: string | null
}

/** What a file, or a directory of parts, is. @throws ConfigError, OutputError, DataError */
export async function describeFile(path: string, given: GivenFacts): Promise<Described> {
  const status = await stat(path).catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') throw new ConfigError('ERR_OPTION_INVALID', `there is no file ${printable(path)}`)
    throw outputError(error, `reading ${printable(path)}`, 'ERR_OUTPUT_ACCESS')
  })
  const found = status.isDirectory() ? await manifestOfDirectory(path) : await manifestBeside(path).catch(() => null)
  const paths = status.isDirectory() ? await partsOf(path, found?.manifest ?? null) : ([path] as const)
  const outline = found === null ? outlineOf(paths, given) : outlineBy(found.manifest, paths)
  const manifest = found && printable(found.path)
  if (outline.format === 'parquet') return { ...(await describeParquet(outline)), manifest }
  if (found !== null) return { outline, columns: columnsBy(found.manifest), manifest }
  return { outline, columns: null, manifest }
}

/** As the records of a resource would be written, under a name of theirs. */
export function describeResource(resource: string, given: GivenFacts): Outline {
  const format = given.format ?? 'ndjson'
  const compress = given.compress ?? 'none'
  const name = `${resource.replace(/^.*\//s, '')}${extensionOf(format, compress)}`
  return outlineOf([name], { ...given, format, compress })
}

/** The columns of a schema in such a file. */
export function columnsFor(
  schema: ResourceSchema,
  format: Format,
  choices: Omit<LayoutChoices, 'format'>,
): readonly Column[] {
  return factsOf(format).columns === null ? schema.fields : layoutFor(schema, { ...choices, format }).columns
}

function outlineOf(paths: readonly [string, ...string[]], given: GivenFacts): Outline {
  const named = extensionsOf(paths[0])
  const format = given.format ?? named.format
  if (format === undefined) {
    throw new ConfigError('ERR_OPTION_INVALID', `the name ${printable(paths[0])} does not say what is in it`, {
      hint: 'pass --output ndjson, json, csv or parquet',
    })
  }
  const { options, keyBy } = given
  return outlineBy({ format, compression: given.compress ?? named.compress, options: { ...options, keyBy } }, paths)
}

/** As a manifest tells it, or what stands for one. */
function outlineBy(
  { format, compression, options }: Pick<Manifest, 'format' | 'compression' | 'options'>,
  paths: readonly [string, ...string[]],
): Outline {
  return {
    format,
    compression,
    dialect: dialectOf(options),
    paths,
    isKeyed: typeof options['keyBy'] === 'string' && factsOf(format).columns === null,
    instantUnit: instantUnitOf(options),
    jsonType: 'string',
  }
}

/** The columns that a manifest lists, or the fields that are declared of its records; null where it knows none. */
function columnsBy(manifest: Manifest): readonly Column[] | null {
  const { schema, source } = manifest
  if (schema.columns !== null) {
    const columns = schema.columns.flatMap(({ name, type }) =>
      isScalarKind(type) ? [{ name, type: { kind: type } }] : [],
    )
    return columns.length === schema.columns.length ? columns : null
  }
  const beside = besideBy(manifest, '')
  if (beside === null) return null
  if (beside.schema !== null) return beside.schema.fields
  const declared = declaredSchema(source.resource)
  return declared.resource === source.resource && declared.version === schema.version ? declared.fields : null
}

async function describeParquet(outline: Outline): Promise<Omit<Described, 'manifest'>> {
  const [path] = outline.paths
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    const found = await parquetColumns(size, (from, to) => readRange(file, from, to, printable(path)))
    const { columns, timestampUnit, hasJsonType } = found
    return {
      outline: {
        ...outline,
        instantUnit: timestampUnit ?? outline.instantUnit,
        jsonType: hasJsonType ? 'json' : 'string',
      },
      columns,
    }
  } finally {
    await file.close()
  }
}

/** That of a million parts. */
const maxManifestBytes = 128 * MiB

async function manifestOfDirectory(path: string): Promise<{ manifest: Manifest; path: string } | null> {
  const at = manifestPathOf(path.replace(/(?<=.)\/+$/, ''))
  const bytes = await readWhole(systemFiles, at, maxManifestBytes).catch(() => null)
  return bytes && { manifest: decodeManifest(bytes, at), path: at }
}

/** Most parts that one statement names. */
const maxParts = 10_000

async function partsOf(path: string, manifest: Manifest | null): Promise<readonly [string, ...string[]]> {
  const names =
    manifest?.parts?.map(({ name }) => name) ?? (await readdir(path)).filter((name) => !/^[._]/.test(name)).sort()
  if (names.length > maxParts) {
    throw new ConfigError('ERR_OPTION_INVALID', `${printable(path)} has ${names.length} parts, too many to name them`, {
      hint: `name a part in place of the directory, and read all of them the same way; most is ${maxParts}`,
    })
  }
  const [first, ...others] = names.map((name) => join(path, basename(name)))
  if (first !== undefined) return [first, ...others]
  throw new ConfigError('ERR_OPTION_INVALID', `the directory ${printable(path)} holds no parts`)
}
