import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parseArguments } from '../../src/cli/arguments.js'
import { plain } from '../../src/cli/help.js'
import { type ErrorCode, ExportError } from '../../src/errors.js'
import { type CommandName, type OptionTable, tableOf } from '../../src/options/schema.js'
import { version } from '../../src/version.js'

const list = 'instant-messaging/members'

function textsOf(...argv: string[]): Record<string, unknown> {
  const parsed = parseArguments(argv)
  if (parsed.kind !== 'command') throw new Error('not a command')
  return { ...parsed.texts }
}

function refusalOf(...argv: string[]): { code: ErrorCode; message: string } {
  try {
    parseArguments(argv)
  } catch (error) {
    if (error instanceof ExportError) return { code: error.code, message: error.message }
    throw error
  }
  throw new Error('the arguments were accepted')
}

describe('commands', () => {
  test.each([
    [[list], 'export'],
    [['export', list], 'export'],
    [['-a', 'x', list], 'export'],
    [['convert', 'x.json'], 'convert'],
    [['convert', '-'], 'convert'],
    [['emulator'], 'emulator'],
    [['demo'], 'demo'],
  ])('%j is the command %s', (argv, command) => {
    expect(parseArguments(argv)).toMatchObject({ kind: 'command', command })
  })

  test('what is given by position is an option like any other', () => {
    expect(textsOf(list)).toEqual({ resource: list })
    expect(textsOf('convert', 'x.json', '--resource', list)).toEqual({ input: 'x.json', resource: list })
  })
})

describe('flags', () => {
  test('texts come by the names of the table, and only those that were given', () => {
    const argv = [list, '-a', 'acc', '-o', 'csv', '--out', '-', '--max-memory', '1GiB', '--overwrite', '-v']
    expect(textsOf(...argv)).toEqual({
      resource: list,
      account: 'acc',
      format: 'csv',
      out: '-',
      maxMemoryBytes: '1GiB',
      overwrite: true,
      verbose: true,
    })
  })

  test('what is on by default is turned off by --no-', () => {
    expect(textsOf(list, '--no-csv-header')).toMatchObject({ csvHeader: false })
    expect(textsOf(list, '--csv-header')).toMatchObject({ csvHeader: true })
    expect(textsOf('emulator', '--no-remote-data')).toEqual({ remoteData: false })
    expect(textsOf(list, '--no-manifest')).toMatchObject({ manifest: 'none' })
    expect(textsOf(list, '--manifest', 'm.json')).toMatchObject({ manifest: 'm.json' })
    expect(textsOf('emulator', '--remote-data')).toEqual({ remoteData: true })
  })

  test('repeatable flags gather their values, of others the last counts', () => {
    expect(textsOf(list, '-q', 'a=1', '-q', 'b=2', '--exclude', 'x,y', '--exclude', 'z')).toMatchObject({
      query: ['a=1', 'b=2'],
      exclude: ['x,y', 'z'],
    })
    expect(textsOf(list, '--out', 'a', '--out=b')).toMatchObject({ out: 'b' })
  })

  test('a flag of one value that is given two of them is told, and none that is given the same again', () => {
    const conflictsOf = (...argv: string[]): readonly string[] => {
      const parsed = parseArguments([list, ...argv])
      return parsed.kind === 'command' ? parsed.conflicts : []
    }
    expect(conflictsOf('--channel', 'A', '--channel=B')).toEqual(['--channel was given "A" and "B"'])
    expect(conflictsOf('-a', 'A', '--account', 'B')).toEqual(['--account was given "A" and "B"'])
    expect(conflictsOf('--channel', 'A', '--channel', 'A', '--quiet', '--quiet')).toEqual([])
    expect(conflictsOf('-q', 'a=1', '-q', 'b=2', '--exclude', 'x', '--exclude', 'y')).toEqual([])
    expect(conflictsOf('--token', 'secret-a', '--token', 'secret-b').join()).not.toContain('secret-')
  })

  test('several files stand one after the other', () => {
    expect(textsOf('convert', 'a.json', 'b.json', '-o', 'csv', 'c.json')).toEqual({
      input: ['a.json', 'b.json', 'c.json'],
      format: 'csv',
    })
    expect(textsOf('schema', 'a.json', '-')).toEqual({ subject: ['a.json', '-'] })
    expect(textsOf('verify', 'a', 'b')).toEqual({ path: ['a', 'b'] })
  })

  test('a value may begin with a dash, and one parse leaves nothing for the next', () => {
    expect(textsOf(list, '-q', '-x=1')).toMatchObject({ query: ['-x=1'] })
    expect(textsOf(list)).toEqual({ resource: list })
  })

  test.each(Object.entries(tableOf).flatMap(([command, table]) => flagsOf(command as CommandName, table)))(
    '%s reads %s',
    (command, flag, name, value) => {
      const first = { export: [list], convert: ['-'], schema: ['-'], verify: ['f'], emulator: [], demo: [] }[command]
      const texts = textsOf(command, ...first, flag, ...(value === undefined ? [] : [value]))
      expect(texts).toHaveProperty([name])
    },
  )
})

function flagsOf(command: CommandName, table: OptionTable): [CommandName, string, string, string | undefined][] {
  return Object.entries(table)
    .filter(([, entry]) => entry.commands.includes(command) && !entry.positional?.includes(command))
    .map(([name, entry]) => [command, entry.flag!, name, entry.kind === 'boolean' ? undefined : 'x'])
}

describe('refusals', () => {
  test.each([
    [[list, '--overwrit'], 'ERR_OPTION_UNKNOWN', 'Did you mean --overwrite?'],
    [[list, '--max-memry', '1GiB'], 'ERR_OPTION_UNKNOWN', 'Did you mean --max-memory?'],
    [['convert', 'x', '--acount', 'a'], 'ERR_OPTION_UNKNOWN', "unknown option '--acount'"],
    [['emulator', '--membres', '5'], 'ERR_OPTION_UNKNOWN', 'Did you mean --members?'],
    [[list, '--out'], 'ERR_OPTION_MISSING', '--out <PATH>'],
    [[], 'ERR_OPTION_MISSING', 'MODEL/RESOURCE'],
    [['convert'], 'ERR_OPTION_MISSING', 'FILE'],
    [[list, 'x/y'], 'ERR_OPTION_INVALID', 'too many arguments'],
    [['completion', 'bash'], 'ERR_OPTION_INVALID', "there is no command 'completion'"],
    [['conver', 'x.json'], 'ERR_OPTION_INVALID', 'did you mean convert?'],
    [['get', list], 'ERR_OPTION_INVALID', "there is no command 'get'"],
  ] as const)('%j is %s', (argv, code, text) => {
    const refusal = refusalOf(...argv)
    expect(refusal.code).toBe(code)
    expect(refusal.message).toContain(text)
    expect(refusal.message).not.toMatch(/\n|^error|\.$/)
  })
})

describe('texts', () => {
  const help = (...argv: string[]): string => {
    const parsed = parseArguments(argv)
    return parsed.kind === 'text' ? parsed.text : ''
  }

  test('--help is the help of the command that it stands behind', () => {
    expect(help('--help')).toContain('Usage: truto-export [export] MODEL/RESOURCE')
    expect(help('-h')).toBe(help('--help'))
    expect(help('export', '--help')).toBe(help('--help'))
    expect(help('convert', '--help')).toContain('Usage: truto-export convert FILE')
    expect(help('help', 'emulator')).toContain('Usage: truto-export emulator')
    expect(help('help')).toBe(help('--help'))
  })

  test('--help all is the whole of it', () => {
    for (const [argv, flag] of [
      [['--help', 'all'], '--max-memory'],
      [['help', 'all'], '--max-memory'],
      [['convert', '--help', 'all'], '--commit-bytes'],
      [['help', 'convert', 'all'], '--commit-bytes'],
      [['emulator', '-h', 'all'], '--pool'],
    ] as const) {
      expect(help(...argv)).toContain(flag)
      expect(help(...argv.slice(0, -1))).not.toContain(flag)
    }
  })

  test('a page is plain text, and its code is as it was', () => {
    expect(plain('<!-- of us -->\n# a\\_b `c\\_d`\n```sh\necho \\*\n```\n\\*e')).toBe(
      '# a_b `c\\_d`\n```sh\necho \\*\n```\n*e',
    )
  })

  test('a link to the page of a room is how to print it, any other is its text', () => {
    expect(plain('see [places](../destination/README.md), [undici](undici/README.md), [a]')).toBe(
      'see truto-export help places, undici, [a]',
    )
  })

  test.each([
    ['csv', 'formats'],
    ['errors', 'network'],
    ['limits', 'network'],
    ['manifest', 'resume'],
    ['parquet', 'formats'],
  ])('help %s is help %s, which is for users', (asked, topic) => {
    expect(help('help', asked)).toBe(help('help', topic))
    expect(help('help', topic)).toMatch(/^# /)
    expect(help('help', topic)).not.toContain('What belongs in this folder')
  })

  test('help TOPIC is the page of a room, and what there is none of is refused', () => {
    const page = readFileSync(new URL('../../src/options/README.md', import.meta.url), 'utf8')
    expect(page).toMatch(/^# Options\n.*^## What belongs in this folder\n/ms)
    expect(help('help', 'options')).toBe(plain(page.split('\n## What belongs in this folder')[0]!))
    expect(help('--help')).toMatch(/truto-export help TOPIC .*options/s)
    const refusal = refusalOf('help', 'optoins')
    expect(refusal.code).toBe('ERR_OPTION_INVALID')
    expect(refusal.message).toContain('did you mean options?')
  })

  test('--version is the version alone', () => {
    expect(parseArguments(['--version'])).toEqual({ kind: 'text', text: `${version}\n` })
  })
})
