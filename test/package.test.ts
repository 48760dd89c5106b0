import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { expect, test } from 'vitest'

// Imports point one way. A file may import from a lower layer and from its own folder (or itself); folders of one layer do not know each other.
const layers = [
  ['errors', 'record', 'report', 'counts', 'abort', 'bytes', 'clock', 'files', 'schema', 'version'],
  ['http', 'json', 'transform', 'encode'],
  ['readers'],
  ['options', 'checkpoint'],
  ['source', 'destination', 'emulator'],
  ['export', 'verify'],
  ['index'],
  ['cli'],
]
const src = resolve(import.meta.dirname, '../src')

const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))

const roomOf = (file: string): string => file.split('/')[0]!.replace(/\.ts$/, '')
const layerOf = (room: string): number => layers.findIndex((layer) => layer.includes(room))

test('every room of src has its layer', () => {
  expect([...new Set(files.map(roomOf))].filter((room) => layerOf(room) < 0)).toEqual([])
})

/** What each file imports, types too: files by their paths in src. */
const imports = new Map(files.map((file) => [file, importsOf(file)]))

function importsOf(file: string): string[] {
  const text = readFileSync(join(src, file), 'utf8')
  const targets = [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map(([, specifier]) => {
    // the kernels' files are imported without an extension
    return relative(src, resolve(src, dirname(file), specifier!)).replace(/(\.js)?$/, '.ts')
  })
  return targets.filter((target) => existsSync(join(src, target))) // else a data file
}

test('imports point to lower layers only, rooms that stand side by side do not know each other', () => {
  const wrong: string[] = []
  for (const [file, targets] of imports) {
    for (const target of targets) {
      const [from, to] = [roomOf(file), roomOf(target)]
      if (from === to) continue
      // the lowest layer holds the nouns, which know each other
      const isAllowed = layerOf(to) < layerOf(from) || (layerOf(from) === 0 && layerOf(to) === 0)
      if (!isAllowed) wrong.push(`${file} imports ${target}`)
    }
  }
  expect(wrong).toEqual([])
})

// Node.js 22 loads its own undici with that import, which takes time, and ends the process under --jitless.
test('nothing imports node:http but for its types', () => {
  const importing = files.filter((file) => {
    const lines = readFileSync(join(src, file), 'utf8').matchAll(/^import (.*) from 'node:https?'/gm)
    return [...lines].some(([, names]) => !names!.startsWith('type '))
  })
  expect(importing).toEqual([])
})

test('no imports lead back to the file that they began in, not even those of types', () => {
  const circles: string[] = []
  const done = new Set<string>()
  const follow = (file: string, way: readonly string[]): void => {
    const from = way.indexOf(file)
    if (from >= 0) circles.push([...way.slice(from), file].join(' > '))
    if (from >= 0 || done.has(file)) return
    for (const target of imports.get(file) ?? []) follow(target, [...way, file])
    done.add(file)
  }
  for (const file of files) follow(file, [])
  expect(circles).toEqual([])
})

test('the version that the code names is that of the package', async () => {
  const { version } = await import('../src/version.js')
  const text = readFileSync(resolve(src, '../package.json'), 'utf8')
  expect(version).toBe((JSON.parse(text) as { version: string }).version)
})
