// The page of this room (README.md), printed from the table: every option with its names, its default and what it does,
// in lines that a terminal shows as well. Of the build and the tests alone. Pure.

import { docOf, noteOnDefault, termOf, wrap } from './describe.js'
import {
  type CommandName,
  exportTable,
  type Group,
  groups,
  type OptionEntry,
  type OptionTable,
  tableOf,
} from './schema.js'

const width = 100

const head = `<!-- Printed from schema.ts by test/options/describe.test.ts with TRUTO_EXPORT_UPDATE=1: do not edit. -->
# Options

An option is given by a flag, in code by its property, or by a variable of the environment where it
has one; a flag or property goes before the variable, and both before the default. A wrong option is
an error before the first request. On the command line a size is written \`16MiB\` (in code: bytes)
and a time \`30s\` (in code: milliseconds); a list is separated by commas and may be repeated. Null
and undefined in code are the same as absent.
`

const tail = `## What belongs in this folder

\`schema.ts\` is the one table, and a new option is a new row of it: its names, its default, what it
takes, what it shapes, and what it does. Types, flags, help, this page, validation (\`resolve.ts\`),
the identity of a checkpoint, the manifest and the options of encoders (\`shapes.ts\`) follow from it.
`

/** The page as Markdown. */
export function renderOptionsPage(): string {
  const ofExport = groups.flatMap((group) => sectionOf(group, entriesOf(exportTable, group)))
  const others = (['schema', 'verify', 'emulator', 'demo'] as const).flatMap(commandSection)
  return [head, ...ofExport, ...others, tail].join('\n')
}

function sectionOf(title: string, entries: readonly [string, OptionEntry][]): string[] {
  return entries.length === 0 ? [] : [`## ${title}\n`, ...entries.map(([name, entry]) => itemOf(name, entry)), '']
}

/** What a command has beside options of an export. */
function commandSection(command: CommandName): string[] {
  const table: OptionTable = tableOf[command]
  const own = Object.entries(table).filter(([name]) => (exportTable as OptionTable)[name]?.flag !== table[name]!.flag)
  return sectionOf(`\`truto-export ${command}\``, own)
}

function entriesOf(table: OptionTable, group: Group): [string, OptionEntry][] {
  return Object.entries(table).filter(([, entry]) => entry.group === group)
}

function itemOf(name: string, entry: OptionEntry): string {
  const isOfCode = name in exportTable && !entry.isCliOnly
  const names = [
    entry.positional === undefined ? '' : code(entry.placeholder!),
    entry.flag === undefined ? '' : code(termOf(entry)),
    isOfCode ? `in code ${code(name)}` : '',
    entry.env === undefined ? '' : `in the environment ${code(entry.env)}`,
  ]
  const note = noteOnDefault(entry).replace(/^\[default: (.*)\]$/s, 'Default: $1.')
  const text = [docOf(entry), note].filter(Boolean).join(' ')
  const lines = wrap(escaped(text), width - 2)
  return [`- ${names.filter(Boolean).join(', ')}:`, ...lines.map((line) => `  ${line}`)].join('\n')
}

function code(text: string): string {
  return `\`${text}\``
}

/** What could be read as mark-up is escaped. */
function escaped(text: string): string {
  return text.replace(/[\\*_<>]/g, '\\$&')
}
