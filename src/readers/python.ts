// What the readers of Python have in common.

import type { FileFacts } from './facts.js'
import { pythonText } from './literals.js'

export function pathsLines({ paths }: Pick<FileFacts, 'paths'>): string[] {
  return [`PATHS = ${pythonList(paths)}`]
}

export function pythonList(texts: readonly string[]): string {
  return `[${texts.map(pythonText).join(', ')}]`
}

export function pythonBoolean(value: boolean): string {
  return value ? 'True' : 'False'
}

/** An assignment of a dict, an entry a line. The values are code. */
export function pythonDict(name: string, entries: readonly (readonly [string, string])[]): string[] {
  return [`${name} = {`, ...entries.map(([key, code]) => `    ${pythonText(key)}: ${code},`), '}']
}
