// Names of fields: how a path of them is written, which of them readers take for one, and which are meant to be
// another.

import type { Field, FieldType } from './resource.js'

/** The path of fields with these names, one inside of the other, as people write it: a dot of a name has a backslash
 *  before it. */
export function formatFieldPath(names: readonly string[]): string {
  return names
    .map((name) => name.replace(/[\\.]/g, '\\$&'))
    .join('.')
    .replace(/^@/, '\\@')
}

/** The same for all names that differ in case alone, which readers of columns take for one: Unicode's simple case
 *  folding (CaseFolding.txt, statuses C and S). */
export function foldedName(name: string): string {
  if (/^[\0-\x7f]*$/.test(name)) return name.toLowerCase()
  return Array.from(name, foldedCharacter).join('')
}

function foldedCharacter(character: string): string {
  const other = simpleFolds[character]
  if (other !== undefined) return other
  // two that fold to one have the same capital, but where that is more than one character
  const [upper, ...more] = character.toUpperCase()
  const [lower, ...rest] = (more.length === 0 ? upper! : character).toLowerCase()
  return rest.length === 0 ? lower! : character
}

/** What its capital does not tell: letters with a capital of two, and the dotless i. */
const simpleFolds: Readonly<Record<string, string>> = {
  '\u0131': '\u0131',
  '\u1e9e': '\u00df',
  '\u1fd3': '\u0390',
  '\u1fe3': '\u03b0',
  '\ufb05': '\ufb06',
}

/** All pairs of fields of one object that differ in case alone, by their paths. */
export function* foldedTwins(
  fields: readonly Field[],
  around: readonly string[] = [],
): Generator<[one: string, other: string], void, undefined> {
  const names = new Map<string, string>()
  for (const { name, type } of fields) {
    const folded = foldedName(name)
    const other = names.get(folded)
    if (other === undefined) names.set(folded, name)
    else yield [formatFieldPath([...around, other]), formatFieldPath([...around, name])]
    yield* foldedTwins(fieldsOf(type), [...around, name])
  }
}

/** The fields of a struct, or of the structs in a list; none of anything else. */
export function fieldsOf(type: FieldType): readonly Field[] {
  if (type.kind === 'list') return fieldsOf(type.element)
  return type.kind === 'struct' ? type.fields : []
}

/** The name with the fewest edits from `name`, undefined where more than a third of it would have to change. Case
 *  counts for nothing. */
export function nearestName(name: string, names: Iterable<string>): string | undefined {
  let nearest: string | undefined
  let least = Math.floor(Math.min(name.length, longest) / 3) + 1
  for (const candidate of names) {
    const edits = distance(name, candidate)
    if (edits < least) [nearest, least] = [candidate, edits]
  }
  return nearest
}

/** The name that `name` differs from in case alone, or by a letter or two: one where they are short. Undefined where
 *  `name` is one of them, or none is that near. */
export function misspelledName(name: string, names: readonly string[]): string | undefined {
  if (names.includes(name)) return undefined
  let nearest: string | undefined
  let least = Number.POSITIVE_INFINITY
  for (const candidate of names) {
    const edits = distance(name, candidate)
    if (edits < least && edits <= lettersOf(Math.min(name.length, candidate.length))) {
      nearest = candidate
      least = edits
    }
  }
  return nearest
}

/** Letters in which a name of this length may differ and is still meant to be the other. */
function lettersOf(length: number): number {
  return length < 2 ? 0 : length < 5 ? 1 : 2
}

/** Longer names are compared by their beginnings. */
const longest = 40

/** Letters to put in, to take out, to change or to swap with their neighbour: the optimal string alignment distance of
 *  the names in lower case. */
function distance(one: string, other: string): number {
  const a = one.slice(0, longest).toLowerCase()
  const b = other.slice(0, longest).toLowerCase()
  if (a === b) return one.length === other.length ? 0 : Math.abs(one.length - other.length)
  let before: number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1]
      let edits = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (isSame ? 0 : 1))
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      if (isSwapped) edits = Math.min(edits, before[j - 2]! + 1)
      next.push(edits)
    }
    before = row
    row = next
  }
  return row[b.length]!
}
