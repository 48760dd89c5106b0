// argv → the command and the texts of its flags. Commander does the reading; flags, values and help come from the table
// of options.

import { Command, CommanderError, Option } from 'commander'
import { ConfigError } from '../errors.js'
import type { FlagTexts } from '../options/resolve.js'
import { type CommandName, commandNames, type OptionEntry, type OptionTable, tableOf } from '../options/schema.js'
import { nearestName } from '../schema/names.js'
import { version } from '../version.js'
import { helpText, topicText } from './help.js'

/** What was asked for: a command with the texts of its flags, or a text to print, which `--help` and `--version`
 *  are. */
export type ParsedArguments =
  | {
      readonly kind: 'command'
      readonly command: CommandName
      readonly texts: FlagTexts
      /** Flags that take one value and were given several, as one clause each. */
      readonly conflicts: readonly string[]
    }
  | { readonly kind: 'text'; readonly text: string }

/**
 * Reads arguments, without those of node. The last of a flag given twice counts, but for flags that say they are
 * repeatable.
 * @throws ConfigError ERR_OPTION_UNKNOWN, which names the nearest flag, ERR_OPTION_MISSING or ERR_OPTION_INVALID
 */
export function parseArguments(argv: readonly string[]): ParsedArguments {
  if (argv[0] === 'help') return { kind: 'text', text: topicText(argv.slice(1)) }
  let parsed: ParsedArguments | undefined
  let text = ''
  const program = new Command('truto-export')
  for (const command of commandNames) {
    const conflicts: string[] = []
    const added = addCommand(program, command, conflicts, (texts) => {
      parsed = { kind: 'command', command, texts, conflicts }
    })
    added.helpInformation = () => helpText(command, afterHelp(argv))
  }
  program.version(version).helpCommand(false).helpInformation = () => helpText('export', afterHelp(argv))
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({
      writeOut: (part) => {
        text += part
      },
      writeErr: () => {},
    })
  }
  try {
    program.parse(argv, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return { kind: 'text', text }
    throw asConfigError(error, argv)
  }
  return parsed ?? { kind: 'text', text: helpText('export') }
}

function addCommand(
  program: Command,
  name: CommandName,
  conflicts: string[],
  onParsed: (texts: FlagTexts) => void,
): Command {
  const entries = Object.entries(tableOf[name] as OptionTable).filter(([, entry]) => entry.commands.includes(name))
  const command = program.command(name, { isDefault: name === 'export' })
  /** Names of the table by the names that commander gives to flags. */
  const names = new Map<string, string>()
  const positional = entries.find(([, entry]) => entry.positional?.includes(name))
  if (positional) command.argument(`<${positional[1].placeholder}${positional[1].isVariadic ? '...' : ''}>`)
  for (const [optionName, entry] of entries) {
    if (entry === positional?.[1]) continue
    for (const option of optionsOf(entry, conflicts)) {
      names.set(option.attributeName(), optionName)
      command.addOption(option)
    }
  }
  command.action(() => {
    const { args } = command
    const texts: Record<string, unknown> = positional ? { [positional[0]]: args.length > 1 ? args : args[0] } : {}
    for (const [attribute, optionName] of names) {
      if (command.getOptionValueSource(attribute) !== 'cli') continue
      const value: unknown = command.getOptionValue(attribute)
      texts[optionName] = value === false ? ((tableOf[name] as OptionTable)[optionName]!.negative ?? false) : value
    }
    onParsed(texts)
  })
  return command
}

/** The word after the flag for help. */
function afterHelp(argv: readonly string[]): string | undefined {
  return argv[argv.findIndex((word) => word === '--help' || word === '-h') + 1]
}

/** What is on by default has a flag that turns it off, and for symmetry one that turns it on. */
function optionsOf(entry: OptionEntry, conflicts: string[]): Option[] {
  const short = entry.short ? `${entry.short}, ` : ''
  if (entry.kind === 'boolean') {
    const on = new Option(`${short}${entry.flag!}`)
    return entry.default === true ? [on, new Option(entry.flag!.replace('--', '--no-'))] : [on]
  }
  const option = new Option(`${short}${entry.flag!} <${entry.placeholder ?? 'value'}>`)
  if (entry.negative !== undefined) return [option, new Option(entry.flag!.replace('--', '--no-'))]
  const isRepeatable = entry.kind === 'list' || entry.kind === 'query'
  if (isRepeatable) option.argParser((value: string, before?: string[]) => [...(before ?? []), value])
  else {
    option.argParser((value: string, before?: string) => {
      if (before !== undefined && before !== value) {
        const values = entry.isSecret ? 'two values' : `${JSON.stringify(before)} and ${JSON.stringify(value)}`
        conflicts.push(`${entry.flag} was given ${values}`)
      }
      return value
    })
  }
  return [option]
}

const codes: Record<string, 'ERR_OPTION_UNKNOWN' | 'ERR_OPTION_MISSING'> = {
  'commander.unknownOption': 'ERR_OPTION_UNKNOWN',
  'commander.missingArgument': 'ERR_OPTION_MISSING',
  'commander.optionMissingArgument': 'ERR_OPTION_MISSING',
}

/** Commander's message without its label and its full stop, as one line. */
function asConfigError(error: CommanderError, argv: readonly string[]): ConfigError {
  const message = error.message
    .replace(/^error: /, '')
    .replaceAll('\n', ' ')
    .replace(/\.$/, '')
  const [first = ''] = argv
  // the first word is taken for what to export, where it is no command
  if (error.code === 'commander.excessArguments' && /^[A-Za-z][A-Za-z-]*$/.test(first) && first !== 'export') {
    const nearest = nearestName(first, commandNames)
    const meant = nearest === undefined ? '' : ` (did you mean ${nearest}?)`
    return new ConfigError('ERR_OPTION_INVALID', `there is no command '${first}'${meant}`, {
      hint: `the commands are ${commandNames.join(', ')}; a resource is written model/resource`,
    })
  }
  return new ConfigError(codes[error.code] ?? 'ERR_OPTION_INVALID', message)
}
