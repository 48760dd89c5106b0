import { basename, dirname } from 'node:path'
import { expect, test } from 'vitest'
import { sideNames } from '../../src/files/side-names.js'

test('each begins with _ and stands in the directory of the output, whose path stays as it was written', () => {
  for (const target of ['m.ndjson', '/m.ndjson', 'a/../b//m.ndjson', './m', '/a/.m', '_m']) {
    for (const name of Object.values(sideNames(target))) {
      expect(basename(name).startsWith('_')).toBe(true)
      expect(name.startsWith(target.slice(0, target.length - basename(target).length))).toBe(true)
      expect(dirname(name)).toBe(dirname(target))
    }
  }
  expect(sideNames('lake/members.csv')).toMatchObject({
    partial: 'lake/_members.csv.partial',
    manifest: 'lake/_members.csv.manifest.json',
  })
})

test('none is longer than a file system takes, and no two outputs share one', () => {
  const seen = new Map<string, string>()
  for (const character of ['x', 'é', '漢', '🙂']) {
    for (let bytes = 180; bytes <= 255; bytes++) {
      const target =
        character.repeat(bytes / Buffer.byteLength(character)).padEnd(10) +
        'y'.repeat(bytes % Buffer.byteLength(character))
      for (const name of Object.values(sideNames(target))) {
        expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255)
        expect(name.isWellFormed()).toBe(true)
        expect(seen.get(name) ?? target).toBe(target)
        seen.set(name, target)
      }
    }
  }
})
