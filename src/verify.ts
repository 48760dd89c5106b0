// Holds a published output against the manifest beside it: the same files, the same length, the same digest, and, by
// what it is, the same number of records. Reads it once, through one buffer.

import { createHash } from 'node:crypto'
import { open, readdir, readFile, realpath, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { Following } from './abort.js'
import { KiB } from './bytes/units.js'
import { decodeManifest, type Manifest, manifestPathOf } from './checkpoint/manifest.js'
import { ConfigError, DataError, printable, StateError, UpstreamError } from './errors.js'
import { errnoOf, outputError } from './files/os-error.js'
import { readRange } from './files/read-range.js'
import { sideNames } from './files/side-names.js'
import type { CancellableBody } from './http/decode.js'
import { recordCounter } from './verify/count-records.js'
import type { ReadRange } from './verify/parquet-rows.js'

export interface VerifyOptions {
  /** The manifest, where it does not stand beside the file. */
  readonly manifest?: string | undefined
  /** Once it is aborted, the promise rejects with its reason, whatever was found by then. */
  readonly signal?: AbortSignal | undefined
}

/** What the manifest says, and what the file is. */
export interface Compared<T> {
  readonly expected: T
  readonly found: T
}

export interface Verification {
  /** Whether nothing differs. */
  readonly matches: boolean
  /** What differs, one clause each. */
  readonly differences: readonly string[]
  readonly path: string
  /** Path of the manifest. */
  readonly manifest: string
  readonly format: Manifest['format']
  readonly compression: Manifest['compression']
  /** As the manifest says: whether the end of the list was proven. */
  readonly complete: Manifest['complete']
  readonly bytes: Compared<number>
  /** `expected` is null where the export made no digest: then `found` is one for you to keep. */
  readonly sha256: { readonly expected: string | null; readonly found: string }
  /** `found` is null where the records could not be counted: in a damaged file, and under zstd by a Node.js that has
   *  none. */
  readonly records: { readonly expected: number; readonly found: number | null }
}

const chunkBytes = 256 * KiB

/**
 * Reads an output, a file or a directory of parts, and its manifest. A symbolic link is followed: the manifest stands
 * beside what it leads to.
 * @throws StateError ERR_MANIFEST_MISSING, ERR_MANIFEST_CORRUPT; ConfigError where there is no such file; OutputError
 * where one cannot be read; the signal's reason
 */
export async function verifyExport(path: string, options: VerifyOptions = {}): Promise<Verification> {
  const following = new Following(options.signal)
  following.begin()
  const { signal } = following
  try {
    signal.throwIfAborted()
    const verification = await compare(path, options.manifest, signal)
    signal.throwIfAborted()
    return verification
  } catch (error) {
    if (signal.aborted) throw signal.reason
    throw error
  } finally {
    following.end()
  }
}

async function compare(path: string, manifestGiven: string | undefined, signal: AbortSignal): Promise<Verification> {
  const name = printable(path)
  const target = await resolved(path, name)
  const manifestPath = manifestGiven ?? (await manifestBeside(target))
  const manifest = await readManifest(manifestPath)
  const layout = await guarded(name, () => layoutOf(target, manifest))
  const facts = await guarded(name, () => readFacts(layout, manifest, signal))
  const differences = [...layout.faults, ...differencesOf(manifest, facts)]
  return {
    matches: differences.length === 0,
    differences,
    path,
    manifest: manifestPath,
    format: manifest.format,
    compression: manifest.compression,
    complete: manifest.complete,
    bytes: { expected: manifest.bytes, found: facts.bytes },
    sha256: { expected: manifest.sha256, found: facts.sha256 },
    records: { expected: manifest.records, found: facts.records },
  }
}

/** An output that is to be held against its manifest. */
export interface FoundExport {
  /** Path of the file, or of the directory of parts. */
  readonly path: string
  readonly manifest: string
}

/**
 * The outputs that have a manifest in a directory and in those below it, in the order of their paths; links to
 * directories are not followed. One whose file is gone is among them. Null where `path` is an output itself, or no
 * directory.
 * @throws ConfigError where there is nothing at `path`; OutputError; the signal's reason
 */
export async function exportsIn(path: string, signal?: AbortSignal): Promise<FoundExport[] | null> {
  const name = printable(path)
  const target = await resolved(path, name)
  const { isTree } = await guarded(name, async () => {
    const isDirectory = (await stat(target)).isDirectory()
    return { isTree: isDirectory && !(await isFile(await manifestBeside(target))) }
  })
  if (!isTree) return null
  const found: FoundExport[] = []
  const directories = [path.replace(/(?<=.)\/+$/, '')]
  for (let directory = directories.pop(); directory !== undefined; directory = directories.pop()) {
    signal?.throwIfAborted()
    const here = directory
    const entries = await guarded(printable(here), () => readdir(here, { withFileTypes: true }))
    const names = new Set(entries.map((entry) => entry.name))
    const manifests = new Set(
      entries.filter((entry) => entry.name.endsWith(manifestEnd) && !entry.isDirectory()).map((entry) => entry.name),
    )
    const below: string[] = []
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const own = [basename(sideNames(join(here, entry.name)).manifest), `${entry.name}${manifestEnd}`]
      const manifest = own.find((candidate) => manifests.has(candidate))
      if (manifest !== undefined) {
        for (const candidate of own) manifests.delete(candidate)
        found.push({ path: join(here, entry.name), manifest: join(here, manifest) })
      } else if (entry.isDirectory() && !entry.name.startsWith('_')) below.push(join(here, entry.name))
    }
    for (const manifest of manifests) {
      const output = manifest.slice(0, -manifestEnd.length)
      const path = join(here, names.has(output) ? output : output.replace(/^_/, ''))
      found.push({ path, manifest: join(here, manifest) })
    }
    directories.push(...below.reverse())
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : 1))
}

const manifestEnd = '.manifest.json'

/** Where the manifest of an output is: under the name of today, or else of before, if it is there. */
async function manifestBeside(target: string): Promise<string> {
  const today = manifestPathOf(target)
  const before = `${target}${manifestEnd}`
  return !(await isFile(today)) && (await isFile(before)) ? before : today
}

/** Not what a FIFO is, whose writer would be waited for. */
async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isFile() ?? false
}

/** What the links at `path` lead to. */
async function resolved(path: string, name: string): Promise<string> {
  try {
    return await realpath(path)
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw outputError(error, `reading ${name}`, 'ERR_OUTPUT_ACCESS')
    throw new ConfigError('ERR_OPTION_INVALID', `there is no file ${name}`, {
      hint: 'give the path of an exported file',
    })
  }
}

async function readManifest(path: string): Promise<Manifest> {
  const name = printable(path)
  let bytes: Buffer
  try {
    const status = await stat(path)
    if (!status.isFile()) throw new StateError('ERR_MANIFEST_CORRUPT', `${name} is no file`)
    bytes = await readFile(path)
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw outputError(error, `reading ${name}`, 'ERR_OUTPUT_ACCESS')
    throw new StateError('ERR_MANIFEST_MISSING', `there is no manifest ${name}`)
  }
  return decodeManifest(bytes, name)
}

/** The files of an output, and what is wrong with them before they are read. */
interface Layout {
  readonly paths: readonly string[]
  readonly faults: readonly string[]
}

async function layoutOf(target: string, { parts }: Manifest): Promise<Layout> {
  const status = await stat(target)
  const isDirectory = status.isDirectory()
  // a FIFO would wait for its writer
  if (!isDirectory && !status.isFile()) return { paths: [], faults: ['it is no file'] }
  if (parts === null || !isDirectory) {
    if (!isDirectory && parts !== null) return { paths: [target], faults: ['it is a file, and no directory of parts'] }
    return { paths: [target], faults: [] } // a directory that should be a file cannot be read, and says so
  }
  const found = new Set(await readdir(target))
  const names = new Set(parts.map(({ name }) => name))
  const missing = [...names].filter((name) => !found.has(name))
  const strange = [...found].filter((name) => !names.has(name))
  const present: (typeof parts)[number][] = []
  const sizes: number[] = []
  const others: string[] = []
  for (const part of parts) {
    if (!found.has(part.name)) continue
    const entry = await stat(join(target, part.name))
    if (!entry.isFile()) {
      others.push(part.name)
      continue
    }
    present.push(part)
    sizes.push(entry.size)
  }
  return {
    paths: present.map(({ name }) => join(target, name)),
    faults: [
      ...missing.map((name) => `its part ${printable(name)} is missing`),
      ...others.map((name) => `its part ${printable(name)} is no file`),
      ...strange.map((name) => `it holds ${printable(name)}, which is no part of it`),
      ...present.flatMap(({ name, bytes }, index) =>
        sizes[index] === bytes ? [] : [`its part ${printable(name)} has ${sizes[index]} bytes, not ${bytes}`],
      ),
    ],
  }
}

interface Facts {
  readonly bytes: number
  readonly sha256: string
  readonly records: number | null
  /** Why the records could not be counted, where they should. */
  readonly damage: string | null
}

async function readFacts({ paths }: Layout, manifest: Manifest, signal: AbortSignal): Promise<Facts> {
  const whole = new HashedFiles(paths, signal)
  const count = recordCounter(manifest)
  let records: number | null = null
  let damage: string | null = null
  try {
    let sum = 0
    if (count !== null) {
      for (const path of paths) {
        sum += await count({ bytes: () => whole.read(path), ranges: (find) => withRanges(path, find) })
      }
      records = sum
    }
  } catch (error) {
    if (!(error instanceof DataError || error instanceof UpstreamError)) throw error
    damage = `its records cannot be counted: ${error.toLine().split('; ')[0]}`
  }
  const { bytes, sha256 } = await whole.end()
  return { bytes, sha256, records, damage }
}

/** What `find` makes of parts of a file. */
async function withRanges(path: string, find: (size: number, read: ReadRange) => Promise<number>): Promise<number> {
  const file = await open(path, 'r')
  try {
    return await find((await file.stat()).size, (from, to) => readRange(file, from, to, 'the file'))
  } finally {
    await file.close()
  }
}

/** The bytes of files one after the other, counted and hashed as they are read. */
class HashedFiles {
  readonly #paths: readonly string[]
  readonly #signal: AbortSignal
  readonly #buffer = Buffer.allocUnsafeSlow(chunkBytes)
  #pass = newPass()

  constructor(paths: readonly string[], signal: AbortSignal) {
    this.#paths = paths
    this.#signal = signal
  }

  /** The bytes of the next file. May be left early: `end` then reads all of them again. */
  read(path: string): CancellableBody {
    const pieces = this.#pieces(path)
    // who stops asking need not leave the iteration, and only that closes the file
    return { [Symbol.asyncIterator]: () => pieces, cancel: () => void pieces.return().catch(() => {}) }
  }

  async end(): Promise<{ bytes: number; sha256: string }> {
    if (this.#pass.files < this.#paths.length) {
      this.#pass = newPass()
      for (const path of this.#paths) for await (const _ of this.#pieces(path));
    }
    const { bytes, hash } = this.#pass
    return { bytes, sha256: hash.digest('hex') }
  }

  async *#pieces(path: string): AsyncGenerator<Uint8Array, void, undefined> {
    const pass = this.#pass
    const buffer = this.#buffer
    const file = await open(path, 'r')
    try {
      for (;;) {
        this.#signal?.throwIfAborted()
        const { bytesRead } = await file.read(buffer, 0, buffer.length, null)
        if (bytesRead === 0) break
        const chunk = buffer.subarray(0, bytesRead)
        pass.hash.update(chunk)
        pass.bytes += bytesRead
        yield chunk
      }
    } finally {
      await file.close()
    }
    pass.files++
  }
}

/** What was read in one go over the files, and how many of them to their end. */
function newPass() {
  return { hash: createHash('sha256'), bytes: 0, files: 0 }
}

function differencesOf(manifest: Manifest, { bytes, sha256, records, damage }: Facts): string[] {
  const differences: string[] = []
  if (bytes !== manifest.bytes) differences.push(`it has ${bytes} bytes, not ${manifest.bytes}`)
  if (manifest.sha256 !== null && sha256 !== manifest.sha256) {
    differences.push(`its SHA-256 is ${sha256}, not ${manifest.sha256}`)
  }
  if (records !== null && records !== manifest.records) {
    differences.push(`it has ${records} records, not ${manifest.records}`)
  }
  if (damage !== null) differences.push(damage)
  return differences
}

async function guarded<T>(name: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    throw outputError(error, `reading ${name}`, 'ERR_OUTPUT_ACCESS')
  }
}
