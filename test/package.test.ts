import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { expect, test } from 'vitest'

// Imports point one way. A file may import from a lower layer and from its own folder (or itself); folders of one layer do not know each other.
const layers = [
  ['errors', 'record', 'report', 'abort', 'bytes', 'clock', 'files', 'schema', 'version'],
  ['http', 'json', 'transform', 'encode'],
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

test('imports point to lower layers only, rooms that stand side by side do not know each other', () => {
  const wrong: string[] = []
  for (const file of files) {
    const text = readFileSync(join(src, file), 'utf8')
    for (const [, specifier] of text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)) {
      const target = resolve(src, dirname(file), specifier!).replace(/\.js$/, '.ts')
      if (!existsSync(target)) continue // a data file
      const [from, to] = [roomOf(file), roomOf(relative(src, target))]
      if (from === to) continue
      // the lowest layer holds the nouns, which know each other
      const isAllowed = layerOf(to) < layerOf(from) || (layerOf(from) === 0 && layerOf(to) === 0)
      if (!isAllowed) wrong.push(`${file} imports ${specifier}`)
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

test('the version that the code names is that of the package', async () => {
  const { version } = await import('../src/version.js')
  const text = readFileSync(resolve(src, '../package.json'), 'utf8')
  expect(version).toBe((JSON.parse(text) as { version: string }).version)
})
