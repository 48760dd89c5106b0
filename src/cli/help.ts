// `--help`, `--help all` and `truto-export help TOPIC`. What a topic has to say is the page of a room of the source,
// which is shipped beside its declarations.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { ConfigError, printable } from '../errors.js'
import { renderFullHelp, renderHelp } from '../options/describe.js'
import { type CommandName, commandNames } from '../options/schema.js'
import { nearestName } from '../schema/names.js'

/** Where the rooms are: above this file, in the source as in the package. */
const rooms = new URL('../', import.meta.url)

/** What users call a room, where that is another word. */
const topicOf: Readonly<Record<string, string>> = {
  checkpoint: 'resume',
  destination: 'places',
  encode: 'formats',
  export: 'library',
  http: 'network',
  transform: 'fields',
}

/** The pages that there are: topic → page. */
function pages(): ReadonlyMap<string, URL> {
  const found = readdirSync(rooms)
    .map((room) => [topicOf[room] ?? room, new URL(`${room}/README.md`, rooms)] as const)
    .filter(([, page]) => existsSync(page))
  return new Map(found.sort(([one], [other]) => (one < other ? -1 : 1)))
}

/** @param asked the word after `--help`, which may be `all` */
export function helpText(command: CommandName, asked?: string): string {
  return asked === 'all' ? renderFullHelp(command) : renderHelp(command, [...pages().keys()])
}

/** Markdown as a terminal shows it: without comments, and without what keeps characters from being mark-up. */
export function plain(markdown: string): string {
  const isMarkup = /(```.*?```|`[^`\n]*`)|<!--.*?-->\n|\\([\\*_<>[\]|])/gs
  return markdown.replace(isMarkup, (_, code: string | undefined, escaped: string | undefined) => code ?? escaped ?? '')
}

/** What `truto-export help` prints. @throws ConfigError ERR_OPTION_INVALID where there is no such topic */
export function topicText([topic, asked]: readonly string[]): string {
  if (topic === undefined || topic === 'all') return helpText('export', topic)
  const command = commandNames.find((name) => name === topic)
  const found = pages()
  // a room that is named as a command is another thing, unless its topic has that name, too
  const page = found.get(topic) ?? (command === undefined ? found.get(topicOf[topic] ?? '') : undefined)
  const texts = [
    ...(command === undefined ? [] : [helpText(command, asked)]),
    ...(page === undefined ? [] : [plain(readFileSync(page, 'utf8'))]),
  ]
  if (texts.length > 0) return texts.join('\n')
  const names = [...found.keys(), ...commandNames]
  const nearest = nearestName(topic, names)
  const meant = nearest === undefined ? '' : ` (did you mean ${nearest}?)`
  throw new ConfigError('ERR_OPTION_INVALID', `there is no help about ${printable(JSON.stringify(topic))}${meant}`, {
    hint: `there is some about ${names.join(', ')}`,
  })
}
