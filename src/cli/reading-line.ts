// The line of a report that names the statement that reads what was written.

import { shellWord } from '../readers/literals.js'
import { isResourceName } from '../schema/resource-name.js'

/** The last line of a report on a terminal. @param path of the output */
export function readingLine(path: string): string {
  // what begins with a dash would be a flag, and a folder and a name without a dot a resource
  const named = path.startsWith('-') || isResourceName(path) ? `./${path}` : path
  return `read it with: truto-export schema --reader duckdb ${shellWord(named)}`
}
