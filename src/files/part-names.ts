// The names of the files of an output in parts: part-00000.csv, part-00001.csv and so on. They depend on the position
// alone, so that a part that is written again replaces the one before.

/** @param extension with its dot */
export function partName(index: number, extension: string): string {
  return `part-${String(index).padStart(5, '0')}${extension}`
}

export function isPartName(name: string): boolean {
  return /^part-\d{5,}(\.[a-z0-9]+)+$/.test(name)
}
