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

/** What users may ask for as well. */
const otherNames: ReadonlyMap<string, string> = new Map([
  ['csv', 'formats'],
  ['errors', 'network'],
  ['limits', 'network'],
  ['manifest', 'resume'],
  ['parquet', 'formats'],
])

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

/** Markdown as a terminal shows it: without comments, and without what keeps characters from being mark-up. A link to
 *  the page of another room is how to print that, any other link its text. */
export function plain(markdown: string): string {
  const isMarkup = /(```.*?```|`[^`\n]*`)|<!--.*?-->\n|\[([^\]\n]+)\]\(([^)\s]+)\)|\\([\\*_<>[\]|])/gs
  return markdown.replace(isMarkup, (_, code?: string, linked?: string, target?: string, escaped?: string) => {
    const room = /^\.\.\/(\w+)\/README\.md$/.exec(target ?? '')?.[1]
    return code ?? (room === undefined ? linked : `truto-export help ${topicOf[room] ?? room}`) ?? escaped ?? ''
  })
}

/** What a page says to users: its last section is for those who change the room. */
export function forUsers(page: string): string {
  return page.split('\n## What belongs in this folder\n')[0]!
}

/** What `truto-export help` prints. @throws ConfigError ERR_OPTION_INVALID where there is no such topic */
export function topicText([topic, asked]: readonly string[]): string {
  if (topic === undefined || topic === 'all') return helpText('export', topic)
  const command = commandNames.find((name) => name === topic)
  const found = pages()
  // a room that is named as a command is another thing, unless its topic has that name, too
  const other = topicOf[topic] ?? otherNames.get(topic) ?? ''
  const page = found.get(topic) ?? (command === undefined ? found.get(other) : undefined)
  const texts = [
    ...(command === undefined ? [] : [helpText(command, asked)]),
    ...(page === undefined ? [] : [plain(forUsers(readFileSync(page, 'utf8')))]),
  ]
  if (texts.length > 0) return texts.join('\n')
  const names = [...found.keys(), ...commandNames]
  const nearest = nearestName(topic, names)
  const meant = nearest === undefined ? '' : ` (did you mean ${nearest}?)`
  throw new ConfigError('ERR_OPTION_INVALID', `there is no help about ${printable(JSON.stringify(topic))}${meant}`, {
    hint: `there is some about ${names.join(', ')}`,
  })
}
