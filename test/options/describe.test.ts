import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { exitCodes } from '../../src/errors.js'
import { exitCodeTexts, renderFullHelp, renderHelp } from '../../src/options/describe.js'
import { renderOptionsPage } from '../../src/options/options-page.js'
import { commandNames, exportTable, type OptionTable, tableOf } from '../../src/options/schema.js'

describe.each(commandNames)('the help of %s on one screen', (command) => {
  const topics = ['emulator', 'formats', 'network', 'options', 'places', 'resume']
  const help = renderHelp(command, topics)
  const lines = help.trimEnd().split('\n')

  test('fits into 80 columns and 40 lines', () => {
    expect(lines.length).toBeLessThanOrEqual(40)
    expect(lines.filter((line) => line.length > 80)).toEqual([])
    expect(help.endsWith('\n')).toBe(true)
  })

  test('shows what is asked for most in a line each, an example, and where there is more', () => {
    const entries = Object.values(tableOf[command] as OptionTable)
    for (const { flag, brief, commands, positional } of entries) {
      const isShown = lines.some((line) => line.endsWith(`  ${brief}`) && line.includes(`${flag}`))
      if (brief !== undefined) expect(isShown, flag).toBe(commands.includes(command) && !positional?.includes(command))
    }
    expect(help).toMatch(/^ {2}(truto-export|curl) /m)
    expect(help).toMatch(/^ {2}truto-export.* --help all +every option$/m)
    for (const topic of topics) expect(help).toContain(topic)
  })
})

test('the help of the program has a line for each command', () => {
  for (const command of commandNames) expect(renderHelp('export')).toMatch(new RegExp(`^  ${command} {2,}\\w`, 'm'))
})

describe.each(commandNames)('the whole help of %s', (command) => {
  const help = renderFullHelp(command)
  const entries = Object.entries(tableOf[command] as OptionTable)

  test('names all of its options and no other', () => {
    for (const [name, entry] of entries) {
      if (entry.flag === undefined) continue
      const flag = entry.default === true ? entry.flag.replace('--', '--no-') : entry.flag
      const isOwn = entry.commands.includes(command) && !entry.positional?.includes(command)
      const line = new RegExp(`^  (-\\w, )?${flag}( |$)`, 'm')
      expect(line.test(help), name).toBe(isOwn)
    }
  })

  test('fits into 100 columns and ends with a line end', () => {
    expect(help.split('\n').filter((line) => line.length > 100 && !line.startsWith('  truto-export'))).toEqual([])
    expect(help.endsWith('\n')).toBe(true)
  })

  test('shows an example', () => {
    expect(help).toMatch(/^ {2}(truto-export|curl) /m)
  })
})

test('an option is shown with its value, its choices, its variable and its default', () => {
  const help = renderFullHelp('export').replaceAll(/\n {10,}/g, ' ')
  expect(help).toContain('-o, --output FORMAT')
  expect(help).toContain('One of ndjson, json, csv, parquet. [default: by the extension of --out, else ndjson]')
  expect(help).toMatch(/--max-memory SIZE .*\[default: 256MiB\]/)
  expect(help).toMatch(/--max-wait TIME .*\[default: 15m\]/)
  expect(help).toContain('[environment: TRUTO_API_TOKEN]')
  expect(help).toContain('Usage: truto-export [export] MODEL/RESOURCE')
})

test('the help has the exit code of every class of errors', () => {
  const codes = exitCodeTexts.map(([code]) => code)
  for (const code of Object.values(exitCodes)) expect(codes).toContain(String(code))
  for (const [, meaning] of exitCodeTexts) expect(renderFullHelp('export')).toContain(meaning)
})

/** Written again with TRUTO_EXPORT_UPDATE=1. */
test('the page of the options is the printed one', () => {
  const path = new URL('../../src/options/README.md', import.meta.url)
  if (process.env['TRUTO_EXPORT_UPDATE'] === '1') writeFileSync(path, renderOptionsPage())
  const page = readFileSync(path, 'utf8')
  expect(page).toBe(renderOptionsPage())
  for (const { flag } of Object.values(exportTable as OptionTable)) {
    if (flag !== undefined) expect(page).toMatch(new RegExp(`${flag.slice(2)}[ \`]`))
  }
})
