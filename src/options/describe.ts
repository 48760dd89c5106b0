// Help texts, printed from the table of options. Pure.

import { formatBytesExact, formatDuration } from '../bytes/units.js'
import { type CommandName, commandNames, groups, type OptionEntry, type OptionTable, tableOf } from './schema.js'

/** What follows the options in a command's help. */
interface CommandText {
  readonly usage: string
  /** At most 60 characters. */
  readonly brief: string
  readonly summary: string
  readonly examples: readonly string[]
}

const commands: Record<CommandName, CommandText> = {
  export: {
    usage: 'truto-export [export] MODEL/RESOURCE [options]',
    brief: 'exports a list; the word may be left out',
    summary: 'Exports every record of a Truto unified API list to NDJSON, JSON, CSV or Parquet.',
    examples: [
      'truto-export instant-messaging/members -a ACCOUNT --channel CHANNEL --out members.ndjson',
      'truto-export instant-messaging/members -a ACCOUNT --workspace TEAM --out members.parquet --exclude remote_data',
      "truto-export instant-messaging/members -a ACCOUNT --channel CHANNEL | jq -r '.emails[0].email'",
      'truto-export instant-messaging/members -a ACCOUNT --channel CHANNEL --key-by id --out by-id.json.gz --json',
    ],
  },
  convert: {
    usage: 'truto-export convert FILE... [options]',
    brief: 'writes saved pages, NDJSON or JSON in another format',
    summary: 'Reads saved pages, NDJSON or JSON and writes them in another format.',
    examples: [
      'truto-export convert members.ndjson --resource instant-messaging/members --out members.parquet',
      'truto-export convert page-*.json --out members.csv',
      'curl -s … | truto-export convert - -o csv',
    ],
  },
  schema: {
    usage: 'truto-export schema MODEL/RESOURCE|FILE... [options]',
    brief: 'prints the columns of a resource or of files',
    summary:
      'Prints the columns of a resource as JSON Schema: the declared ones, or what its records show. Exports with --schema keep to what it prints. With --reader, the code that reads a file of them.',
    examples: [
      'truto-export schema instant-messaging/members',
      'truto-export schema page.json > schema.json && truto-export convert page.json --schema schema.json --out page.parquet',
      'truto-export schema --reader duckdb members.csv',
    ],
  },
  verify: {
    usage: 'truto-export verify PATH... [options]',
    brief: 'holds exported files against their manifests',
    summary:
      'Reads exported files again and holds each against its manifest: bytes, SHA-256 and, by its format, records. One line for each; exit 8 where one differs, and what differs.',
    examples: [
      'truto-export verify members.ndjson',
      'truto-export verify lake/',
      'truto-export verify members.parquet --json',
    ],
  },
  emulator: {
    usage: 'truto-export emulator [options]',
    brief: 'runs a local Truto with made-up members',
    summary:
      'Runs a local Truto with made-up members until Ctrl-C. Prints the two variables that point an export to it.',
    examples: [
      'truto-export emulator --members 1000000 --port 4010',
      'truto-export emulator --fault page=3,status=503 --fault page=5,attempt=every,cut=1000',
    ],
  },
  demo: {
    usage: 'truto-export demo [options]',
    brief: 'exports from the emulator and shows what it took',
    summary: 'Starts the emulator, exports its members as NDJSON, CSV and Parquet over HTTP, and shows what it took.',
    examples: ['truto-export demo --members 10000'],
  },
}

/** What a process ends with; the same as `exitCodes` and the signals. */
export const exitCodeTexts: readonly (readonly [codes: string, meaning: string])[] = [
  ['0', 'complete: every page was read to its proven end, written and published'],
  ['1', 'a bug of truto-export'],
  ['2', 'options or environment; nothing was touched and no request was sent'],
  ['3', 'the token, or a right that it lacks'],
  ['4', 'the request was refused, or could not be made safely'],
  ['5', 'the remote side or the network; running again later may help'],
  ['6', 'what the server sends cannot be exported as asked'],
  ['7', 'the place that the output goes to'],
  ['8', 'a checkpoint that does not fit, a second process at one file, a file that differs'],
  ['129, 130, 143', 'stopped by SIGHUP, SIGINT, SIGTERM'],
  ['141', 'the reader of stdout left'],
]

/** Of the help of everything, and of that of one screen. */
const full = { width: 100, indent: 32 }
const screen = { width: 80, indent: 30 }

/** The help of a command on one screen of 80 columns and 40 lines: what is asked for most.
 *  @param topics of which there are pages */
export function renderHelp(command: CommandName, topics: readonly string[] = []): string {
  const { usage, summary, examples } = commands[command]
  const isRoot = command === 'export'
  const options = entriesOf(command).filter(
    ([, { brief, positional }]) => brief !== undefined && !positional?.includes(command),
  )
  const name = isRoot ? 'truto-export' : `truto-export ${command}`
  return [
    `Usage: ${usage}`,
    '',
    ...wrap(isRoot ? summary : summary.split(/(?<=[.:]) /)[0]!.replace(/:$/, '.'), screen.width),
    '',
    ...(isRoot ? ['Commands:', ...commandLines(), ''] : []),
    'Options:',
    ...options.flatMap(([, entry]) => columns(termOf(entry), entry.brief!, screen)),
    '',
    'Examples:',
    ...(isRoot ? [examples[0]!, commands.demo.examples[0]!] : examples).flatMap(exampleLines),
    '',
    ...columns(`${name} --help all`, 'every option', { ...screen, indent: 36 }),
    ...(isRoot ? columns('truto-export COMMAND --help', 'of one command', { ...screen, indent: 36 }) : []),
    ...(topics.length === 0
      ? []
      : columns('truto-export help TOPIC', `more about ${topics.join(', ')}`, { ...screen, indent: 36 })),
    '',
  ].join('\n')
}

/** The help of a command: usage, its options by group, examples and exit codes. Lines have at most 100 columns. */
export function renderFullHelp(command: CommandName): string {
  const { usage, summary, examples } = commands[command]
  const options = groups.flatMap((group) => {
    const lines = entriesOf(command)
      .filter(([, entry]) => entry.group === group)
      .flatMap(([, entry]) => optionLines(entry, command))
    return lines.length === 0 ? [] : [`${group}:`, ...lines, '']
  })
  const isRoot = command === 'export'
  return [
    `Usage: ${usage}`,
    ...(isRoot ? otherUsages() : []),
    '',
    ...wrap(summary, full.width),
    '',
    ...options,
    'Help:',
    ...columns('-h, --help', 'What is asked for most; with the word all after it, this text.', full),
    ...(isRoot ? columns('-V, --version', 'The version.', full) : []),
    '',
    'Examples:',
    ...examples.map((example) => `  ${example}`),
    '',
    ...(isRoot || command === 'convert' || command === 'verify' ? [...exitCodeLines(), ''] : []),
  ].join('\n')
}

/** A line of a shell, continued on a second one where it is longer than the screen. */
function exampleLines(example: string): string[] {
  const [first, ...rest] = wrap(example, screen.width - 6)
  return rest.length === 0 ? [`  ${first}`] : [`  ${first} \\`, ...rest.map((line) => `    ${line}`)]
}

function exitCodeLines(): string[] {
  return ['Exit codes:', ...exitCodeTexts.map(([codes, meaning]) => `  ${codes.padEnd(15)}${meaning}`)]
}

function commandLines(): string[] {
  const others = columns('help', 'prints a page about a topic, or the help of a command', { ...screen, indent: 12 })
  return [...commandNames.flatMap((name) => columns(name, commands[name].brief, { ...screen, indent: 12 })), ...others]
}

/** What is printed where nothing was asked for. */
export function renderUsage(): string {
  return [
    `Usage: ${commands.export.usage}`,
    ...otherUsages(),
    '',
    ...wrap(commands.export.summary, full.width),
    '',
    'Examples:',
    ...commands.export.examples.slice(0, 1).map((example) => `  ${example}`),
    ...commands.demo.examples.slice(0, 1).map((example) => `  ${example}`),
    '',
    'More: truto-export --help',
    '',
  ].join('\n')
}

function otherUsages(): string[] {
  return commandNames.filter((command) => command !== 'export').map((command) => `       ${commands[command].usage}`)
}

function entriesOf(command: CommandName): [string, OptionEntry][] {
  return Object.entries(tableOf[command] as OptionTable).filter(([, entry]) => entry.commands.includes(command))
}

function optionLines(entry: OptionEntry, command: CommandName): string[] {
  const isPositional = entry.positional?.includes(command) ?? false
  const term = isPositional ? `${entry.placeholder!}${entry.isVariadic ? '...' : ''}` : termOf(entry)
  const notes = [entry.env === undefined ? '' : `[environment: ${entry.env}]`, noteOnDefault(entry)]
  return columns(term, [docOf(entry), ...notes].filter(Boolean).join(' '), full)
}

/** What it does, with the values that it takes. */
export function docOf(entry: OptionEntry): string {
  return entry.kind === 'enum' ? `${entry.doc} One of ${entry.values!.join(', ')}.` : entry.doc
}

/** `[default: 64MiB]`; empty where the default says nothing. */
export function noteOnDefault(entry: OptionEntry): string {
  const isPlain = entry.default === false || (entry.default === null && entry.defaultText === undefined)
  if (isPlain || (Array.isArray(entry.default) && entry.default.length === 0)) return ''
  return `[default: ${entry.defaultText ?? valueOfDefault(entry)}]`
}

/** `-o, --output`, `--no-csv-header` for what is on by default. */
function flagText(entry: OptionEntry): string {
  const flag = entry.kind === 'boolean' && entry.default === true ? entry.flag!.replace('--', '--no-') : entry.flag!
  return entry.short === undefined ? flag : `${entry.short}, ${flag}`
}

function valueText(entry: OptionEntry): string {
  if (entry.kind === 'boolean') return ''
  return ` ${entry.placeholder ?? entry.flag!.slice(2).replace(/^.*-/, '').toUpperCase()}`
}

function valueOfDefault(entry: OptionEntry): string {
  if (entry.kind === 'bytes') return formatBytesExact(entry.default as number)
  if (entry.kind === 'duration') return formatDuration(entry.default as number)
  if (entry.kind === 'boolean') return entry.default ? 'on' : 'off'
  return String(entry.default)
}

/** How the help shows the flag and its value. */
export function termOf(entry: OptionEntry): string {
  return `${flagText(entry)}${valueText(entry)}`
}

/** A term and its text in two columns; a term that is too long has a line of its own. */
function columns(term: string, text: string, { width, indent }: typeof full): string[] {
  const lines = wrap(text, width - indent)
  const head = `  ${term}`
  const rest = lines.map((line) => ' '.repeat(indent) + line)
  if (head.length >= indent) return [head, ...rest]
  return [head.padEnd(indent) + lines[0]!, ...rest.slice(1)]
}

/** Text in lines of so many columns. */
export function wrap(text: string, columns: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > columns) {
      lines.push(line)
      line = word
    } else {
      line = line === '' ? word : `${line} ${word}`
    }
  }
  return [...lines, line]
}
