// The import lines of src: which file imports which, and the floors of the house that they have to keep to.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'

/** Rooms by their floors, the lowest first. A file may import from a lower floor and from its own room; rooms of one
 *  floor do not know each other, except on the lowest, which holds the nouns. */
export const floors: readonly (readonly string[])[] = [
  ['errors', 'record', 'report', 'counts', 'abort', 'bytes', 'clock', 'files', 'schema', 'version'],
  ['http', 'json', 'transform', 'encode'],
  ['readers'],
  ['options', 'checkpoint'],
  ['source', 'destination', 'emulator'],
  ['export', 'verify'],
  ['index'],
  ['cli'],
]

export const src = resolve(import.meta.dirname, '../../src')

/** Paths in src of all TypeScript. */
export const files: readonly string[] = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.ts'),
)

/** The room of a file: its folder in src, or its name where it lies in none. */
export const roomOf = (file: string): string => file.split('/')[0]!.replace(/\.ts$/, '')

/** The floor of a room, -1 where it has none. */
export const floorOf = (room: string): number => floors.findIndex((floor) => floor.includes(room))

/** What each file imports, types too: files by their paths in src. */
export const imports: ReadonlyMap<string, readonly string[]> = new Map(files.map((file) => [file, importsOf(file)]))

function importsOf(file: string): string[] {
  const text = readFileSync(join(src, file), 'utf8')
  const targets = [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map(([, specifier]) => {
    // the kernels' files are imported without an extension
    return relative(src, resolve(src, dirname(file), specifier!)).replace(/(\.js)?$/, '.ts')
  })
  return targets.filter((target) => existsSync(join(src, target))) // else a data file
}
