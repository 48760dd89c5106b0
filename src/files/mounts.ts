// Where file systems are mounted: what is a mount point cannot be renamed or replaced, and a file cannot be renamed
// from one mount to another, be they of the same file system (rename(2), EBUSY and EXDEV).

import { readFile } from 'node:fs/promises'

/** The mounts that this process sees; null where the system does not tell them. */
export async function readMounts(): Promise<Mounts | null> {
  try {
    return new Mounts(await readFile('/proc/self/mountinfo', 'utf8'))
  } catch {
    return null // no Linux, or no /proc
  }
}

/** What /proc/self/mountinfo tells (proc(5)). Paths are absolute, all links followed. */
export class Mounts {
  /** The number of the mount that is seen at a path: a later one lies over those before it. */
  readonly #points = new Map<string, string>()

  constructor(mountinfo: string) {
    for (const line of mountinfo.split('\n')) {
      const [id, , , , point] = line.split(' ')
      if (point !== undefined) this.#points.set(unescaped(point), id!)
    }
  }

  isPoint(path: string): boolean {
    return this.#points.has(path)
  }

  /** What tells the mount that `path` is on from all others. */
  of(path: string): string | undefined {
    for (let at = path; ; at = at.slice(0, at.lastIndexOf('/'))) {
      const id = this.#points.get(at === '' ? '/' : at)
      if (id !== undefined || at === '') return id
    }
  }
}

/** Blanks, line ends and backslashes are in octal. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
}
