// An export reads no file that it would remove.

import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Destination } from '../destination/destination.js'
import { ConfigError } from '../errors.js'
import { temporaryName } from '../files/side-names.js'
import type { Input } from '../source/inputs.js'

/** Looks by device and inode, so that no link hides what an input is. A file that is the output may be read: it is
 *  replaced at the end, and as a whole.
 *  @param inputs open ones @throws ConfigError where one is a file of `destination`'s own */
export async function refuseOwnFiles(inputs: readonly Input[], destination: Destination): Promise<void> {
  const read = new Map<string, Input>()
  for (const input of inputs) if (input.identity !== null) read.set(keyOf(input.identity), input)
  if (read.size === 0) return
  const place = (await destination.resumable?.()) ?? null
  const names = place?.ownNames ?? []
  for (const name of [...names, ...names.map(temporaryName)]) {
    for (const path of [name, ...(await entriesOf(name))]) {
      const status = await stat(path).catch(() => null) // what cannot be looked at was not opened either
      const input = status && read.get(keyOf(status))
      if (!input) continue
      throw new ConfigError(
        'ERR_OPTION_INVALID',
        `${input.name} is a file of this very export to ${destination.name}, which removes it before it begins`,
        { hint: 'give another --out, or move the file away first and read it under its new name' },
      )
    }
  }
}

/** What is in a directory. */
async function entriesOf(path: string): Promise<string[]> {
  return (await readdir(path).catch(() => [])).map((name) => join(path, name))
}

function keyOf({ dev, ino }: { readonly dev: number; readonly ino: number }): string {
  return `${dev}:${ino}`
}
