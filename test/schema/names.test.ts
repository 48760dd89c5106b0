import { describe, expect, test } from 'vitest'
import { foldedName, formatFieldPath, misspelledName, nearestName } from '../../src/schema/names.js'
import { parseFieldPath } from '../../src/transform/field-path.js'

test('a path is written as it is read', () => {
  for (const names of [['a'], ['a', 'b'], ['a.b', 'c'], ['@a', '@b'], ['a\\b', '.'], ['ü', '😀']]) {
    expect(parseFieldPath(formatFieldPath(names))).toEqual(names)
  }
  expect(formatFieldPath(['@a', '@b.c'])).toBe('\\@a.@b\\.c')
})

describe('folding', () => {
  test.each([
    ['userId', 'userid'],
    ['NAME', 'name'],
    ['ÄRGER', 'ärger'],
    ['ΣΊΣΥΦΟΣ', 'σίσυφος'],
    ['\u212aelvin', 'kelvin'],
    ['\u017ftreet', 'STREET'],
    ['straße', 'STRA\u1e9eE'],
    ['ǅ', 'ǆ'],
    ['Ꭰ', 'ꭰ'],
    ['𐐀', '𐐨'],
    ['µ', 'μ'],
  ])('takes %s and %s for one', (one, other) => {
    expect(foldedName(one)).toBe(foldedName(other))
  })

  test.each([
    ['name', 'names'],
    ['straße', 'strasse'],
    ['ı', 'i'],
    ['İ', 'i'],
    ['é', 'e'],
    ['ﬁ', 'fi'],
  ])('keeps %s and %s apart', (one, other) => {
    expect(foldedName(one)).not.toBe(foldedName(other))
  })

  test('is that of regular expressions for every character', () => {
    const byFold = new Map<string, string[]>()
    for (let code = 0; code <= 0x10ffff; code++) {
      if (code >= 0xd800 && code <= 0xdfff) continue
      const character = String.fromCodePoint(code)
      const folded = foldedName(character)
      if (folded !== character) byFold.set(folded, [...(byFold.get(folded) ?? []), character])
    }
    const isSame = (a: string, b: string): boolean => new RegExp(`^${a}$`, 'iu').test(b)
    for (const [folded, all] of byFold)
      for (const character of all) expect(isSame(character, folded), character).toBe(true)
    // and what they take for one has one fold: no character is missing above
    const apart: string[] = []
    for (let code = 0x80; code <= 0x1ffff; code++) {
      if (code >= 0xd800 && code <= 0xdfff) continue
      const character = String.fromCodePoint(code)
      const cases = [character.toLowerCase(), character.toUpperCase()].filter((other) => other !== character)
      const others = cases.filter((other) => isSame(character, other))
      if (others.some((other) => foldedName(other) !== foldedName(character))) apart.push(character)
    }
    expect(apart).toEqual([])
  }, 120_000)
})

describe('a name that is meant for another', () => {
  const names = ['id', 'name', 'emails', 'first_name', 'updated_at', 'status', 'type', 'title']
  test.each([
    ['emials', 'emails'],
    ['email', 'emails'],
    ['Emails', 'emails'],
    ['nmae', 'name'],
    ['ID', 'id'],
    ['idd', 'id'],
    ['firstname', 'first_name'],
    ['updatd_at', 'updated_at'],
    ['stauts', 'status'],
    ['titles', 'title'],
  ])('%s is %s', (name, meant) => {
    expect(misspelledName(name, names)).toBe(meant)
    expect(nearestName(name, names)).toBe(meant)
  })

  test.each(['age', 'date', 'x', 'tag', 'created_at', 'nickname', 'mail', 'value', '', 'name'])(
    '%s is none',
    (name) => {
      expect(misspelledName(name, names)).toBeUndefined()
    },
  )
})
