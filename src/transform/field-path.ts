// Names of fields as people write them: dotted paths, with an escape for a dot that belongs to a name.

import { ConfigError, printable } from '../errors.js'

/** `a.b\.c` → `['a', 'b.c']`. `\.` is a dot of the name, `\\` a backslash, `\@` an at sign (a path that begins with a
 *  bare `@` is no field: see `keyByStage`). At least one segment, none of them empty.
 *  @throws ConfigError ERR_OPTION_INVALID where a segment is empty or a backslash escapes anything else */
export function parseFieldPath(path: string): string[] {
  const segments: string[] = []
  let segment = ''
  for (let at = 0; at <= path.length; at++) {
    const character = path[at]
    if (character === undefined || character === '.') {
      if (segment === '') throw invalid(path, 'a name in it is empty')
      segments.push(segment)
      segment = ''
    } else if (character === '\\') {
      const escaped = path[++at]
      if (escaped !== '.' && escaped !== '\\' && escaped !== '@')
        throw invalid(path, 'a backslash may only stand before a dot, an at sign or another backslash')
      segment += escaped
    } else {
      segment += character
    }
  }
  return segments
}

/** UTF-8 of a field's name as it stands in a record, or null where the name has no UTF-8 (a lone surrogate): such a key
 *  can only be spelled with an escape. */
export function fieldNameBytes(name: string): Buffer | null {
  const bytes = Buffer.from(name)
  return bytes.toString() === name ? bytes : null
}

function invalid(path: string, why: string): ConfigError {
  return new ConfigError('ERR_OPTION_INVALID', `field path '${printable(path)}': ${why}`)
}
