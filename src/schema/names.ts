// Names that are meant to be another: how far two of them are apart, and which of many is the nearest.

/** The name with the fewest edits from `name`, undefined where more than a third of it would have to change. Case counts for nothing. */
export function nearestName(name: string, names: Iterable<string>): string | undefined {
  let nearest: string | undefined
  let least = Math.floor(Math.min(name.length, longest) / 3) + 1
  for (const candidate of names) {
    const edits = distance(name, candidate)
    if (edits < least) [nearest, least] = [candidate, edits]
  }
  return nearest
}

/** The name that `name` differs from in case alone, or by a letter or two: one where they are short. Undefined where `name` is one of them, or none is that
 *  near. */
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

/** Letters to put in, to take out, to change or to swap with their neighbour: the optimal string alignment distance of the names in lower case. */
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
