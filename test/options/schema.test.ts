import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { resolveFlags, resolveOptions } from '../../src/options/resolve.js'
import {
  demoTable,
  emulatorTable,
  exportTable,
  groups,
  type OptionEntry,
  type OptionTable,
  schemaTable,
  tableOf,
  verifyTable,
} from '../../src/options/schema.js'

const tables: [string, OptionTable][] = [
  ['export', exportTable],
  ['schema', schemaTable],
  ['verify', verifyTable],
  ['emulator', emulatorTable],
  ['demo', demoTable],
]

const entriesOf = (table: OptionTable): [string, OptionEntry][] => Object.entries(table)

describe.each(tables)('the table of %s', (_, table) => {
  test('gives every flag, short flag and environment variable once', () => {
    const names = entriesOf(table).flatMap(([, entry]) => [entry.flag, entry.short, entry.env].filter(Boolean))
    expect(new Set(names).size).toBe(names.length)
  })

  test('has a unit in every numeric name', () => {
    const units: Partial<Record<OptionEntry['kind'], RegExp>> = { bytes: /Bytes$/, duration: /Ms$/ }
    const wrong = entriesOf(table).filter(([name, { kind }]) => units[kind] && !units[kind].test(name))
    expect(wrong).toEqual([])
    // what is counted is the unit of a whole number
    const counted =
      /(Pages|Ratio|Records|Columns|Requests|Rows|Slots|Depth|tries|limit|members|Size|pool)$|^(port|seed)$/
    expect(entriesOf(table).filter(([name, { kind }]) => kind === 'integer' && !counted.test(name))).toEqual([])
  })

  test('accepts each of its own defaults', () => {
    for (const [name, entry] of entriesOf(table)) {
      if (entry.default === null) continue
      const text = typeof entry.default === 'number' ? numberText(entry) : entry.default
      const values = resolveFlags(table, entry.commands[0]!, { [name]: text }, {})
      expect(values[name], name).toEqual(entry.default)
    }
  })

  test('says what absence means wherever it is not plain', () => {
    const silent = entriesOf(table).filter(
      ([, entry]) =>
        entry.default === null && entry.kind !== 'string' && entry.kind !== 'reference' && !entry.defaultText,
    )
    expect(silent.map(([name]) => name).filter((name) => name !== 'integration' && name !== 'query')).toEqual([])
  })

  test('has entries that are complete', () => {
    for (const [name, entry] of entriesOf(table)) {
      expect(groups, name).toContain(entry.group)
      expect(entry.doc, name).toMatch(/^\S.*[^\s,;]$/)
      expect(entry.flag !== undefined || entry.positional?.length, name).toBeTruthy()
      if (entry.flag) expect(entry.flag, name).toMatch(/^--[a-z]+(-[a-z]+)*$/)
      if (entry.kind === 'enum') expect(entry.values!.length, name).toBeGreaterThan(1)
      else if (entry.kind !== 'boolean') expect(entry.placeholder, name).toBeDefined()
    }
  })
})

function numberText(entry: OptionEntry): string {
  return entry.kind === 'duration' ? `${entry.default}ms` : String(entry.default)
}

test('every flag that a message, a hint or a docstring of src names exists', () => {
  const entries = Object.values(tableOf).flatMap((table) => Object.values(table as OptionTable))
  const flags = new Set(
    entries.flatMap(({ flag, negative, default: on }) => [
      flag,
      (on === true || negative !== undefined) && flag?.replace('--', '--no-'),
    ]),
  )
  // commander's own, and those of Node.js itself
  const ofNode = [
    ...[
      '--disable-wasm-trap-handler',
      '--jitless',
      '--permission',
      '--allow-net',
      '--allow-child-process',
      '--max-http-header-size',
    ],
    ...['--network-family-autoselection-attempt-timeout', '--use-system-ca', '--use-openssl-ca'],
  ]
  const ofReaders = ['--skip', '--local-infile']
  for (const other of ['--help', '--version', ...ofNode, ...ofReaders]) flags.add(other)
  const src = resolve(import.meta.dirname, '../../src')
  const missing: string[] = []
  for (const file of readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))) {
    const text = readFileSync(join(src, file), 'utf8')
    // not a decrement: `--depth === 0`, `--this.#left`
    for (const [, flag] of text.matchAll(/(?<![\w-])(--[a-z][a-z-]*[a-z])(?![\w-]|\.[\w#]| *[<>=]=)/g)) {
      if (!flags.has(flag)) missing.push(`${file}: ${flag}`)
    }
  }
  expect(missing).toEqual([])
})

test('a library call with nothing but a resource and a token has every option', () => {
  const resolved = resolveOptions({ resource: 'instant-messaging/members', token: 't' }, { env: {} })
  const names = entriesOf(exportTable).filter(([, entry]) => !entry.isCliOnly)
  expect(Object.keys(resolved).sort()).toEqual(names.map(([name]) => name).sort())
})
