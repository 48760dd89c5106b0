// The package as it would be installed: what it holds of the pages of rooms, and that its program finds them.

import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { forUsers, plain } from '../../src/cli/help.js'

const root = resolve(import.meta.dirname, '../..')
const rooms = readdirSync(join(root, 'src')).filter((room) => existsSync(join(root, 'src', room, 'README.md')))
let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'truto-export-packed-'))
  // the tests run after a build
  const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder]
  const [packed] = JSON.parse(execFileSync('npm', args, { cwd: root, encoding: 'utf8' })) as { filename: string }[]
  execFileSync('tar', ['-xzf', join(folder, packed!.filename), '-C', folder])
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const printed = (...argv: string[]): string =>
  execFileSync(process.execPath, [join(folder, 'package/dist/cli/main.js'), ...argv], { encoding: 'utf8' })

test('the package has the page of each room', () => {
  expect(rooms).toEqual(expect.arrayContaining(['checkpoint', 'destination', 'emulator', 'encode', 'http', 'options']))
  for (const room of rooms) {
    const page = readFileSync(join(folder, 'package/dist', room, 'README.md'), 'utf8')
    expect(page).toBe(readFileSync(join(root, 'src', room, 'README.md'), 'utf8'))
  }
})

test('help of the packed program names the topics and prints their pages', () => {
  const topics = /truto-export help TOPIC +more about ([\w,\s]+)$/.exec(printed('--help'))![1]!.trim().split(/,\s+/)
  expect(topics).toHaveLength(rooms.length)
  const texts = topics.map((topic) => printed('help', topic))
  for (const room of rooms) {
    const page = plain(forUsers(readFileSync(join(root, 'src', room, 'README.md'), 'utf8')))
    expect(texts.filter((text) => text.endsWith(page))).toHaveLength(1)
  }
})
