import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { drawHouse } from './helpers/house.js'
import { files, floorOf, imports, roomOf, src } from './helpers/imports.js'

test('every room of src has its floor', () => {
  expect([...new Set(files.map(roomOf))].filter((room) => floorOf(room) < 0)).toEqual([])
})

test('imports point to lower floors only, rooms that stand side by side do not know each other', () => {
  const wrong: string[] = []
  for (const [file, targets] of imports) {
    for (const target of targets) {
      const [from, to] = [roomOf(file), roomOf(target)]
      if (from === to) continue
      // the lowest floor holds the nouns, which know each other
      const isAllowed = floorOf(to) < floorOf(from) || (floorOf(from) === 0 && floorOf(to) === 0)
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

/** Drawn again with TRUTO_EXPORT_UPDATE=1. */
test('the picture of the house is up to date', () => {
  const picture = join(src, 'house.svg')
  if (process.env['TRUTO_EXPORT_UPDATE'] === '1') writeFileSync(picture, drawHouse())
  expect(readFileSync(picture, 'utf8')).toBe(drawHouse())
})
