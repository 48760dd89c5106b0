// Writes what is generated from the table of options: the type of what an export may be told, whose docstrings editors
// show. Leaves alone what is up to date.

import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const { renderGivenType } = await imported('options/given-type.ts')
writeChanged('options/given-options.ts', renderGivenType())

/** A module of TypeScript of this folder, with what it imports. */
async function imported(path) {
  const bundle = await rolldown({
    input: fileURLToPath(new URL(path, import.meta.url)),
    platform: 'node',
    external: /^[^./]/,
    resolve: { extensionAlias: { '.js': ['.ts'] } },
  })
  const { output } = await bundle.generate({ codeSplitting: false })
  return import(`data:text/javascript,${encodeURIComponent(output[0].code)}`)
}

function writeChanged(path, text) {
  const file = new URL(path, import.meta.url)
  let before
  try {
    before = readFileSync(file, 'utf8')
  } catch {}
  if (before !== text) writeFileSync(file, text)
}
