// What a manifest beside an input says of it, and that `convert` and `schema` go by it.

import { appendFileSync, copyFileSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { besideOf } from '../../src/export/beside.js'
import { type ExportOptions, exportRecords } from '../../src/export/export.js'
import { sideNames } from '../../src/files/side-names.js'
import { memberSchema } from '../../src/schema/member.js'
import { emulate, FaultClock, requestOf, temporaryDirectory } from '../faults/harness.js'
import { runCommand } from '../helpers/command-line.js'

const list = 'instant-messaging/members'

async function exported(name: string, options: Partial<ExportOptions> = {}): Promise<string> {
  const clock = new FaultClock()
  const server = await emulate({ clock, members: 12, pageSize: 5 })
  const path = join(temporaryDirectory(), name)
  await exportRecords({ ...requestOf(server), clock, out: path, ...options })
  return path
}

async function cli(...argv: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const { exitCode: code, stdout, stderr } = await runCommand(argv)
  return { code, stdout, stderr }
}

/** The names in the first line of a CSV file. */
function headerOf(path: string): string[] {
  return readFileSync(path, 'utf8').split('\n', 1)[0]!.replaceAll('"', '').split(',')
}

const names = memberSchema.fields.map(({ name }) => name)

describe('convert', () => {
  test('takes the resource of an export of ours, and so its columns, and says so in one line', async () => {
    const path = await exported('m.ndjson')
    const out = `${path}.csv`
    const { code, stderr } = await cli('convert', path, '--out', out)
    expect(code).toBe(0)
    expect(stderr).toContain(
      `truto-export: reading records of ${list}, as ${sideNames(path).manifest} says; --resource names another`,
    )
    expect(headerOf(out)).toEqual([...names, 'extra'])
  })

  test('takes it under the name that manifests had before, through a link, and of a compressed file', async () => {
    const path = await exported('m.ndjson.gz')
    renameSync(sideNames(path).manifest, `${path}.manifest.json`)
    const link = join(temporaryDirectory(), 'link')
    symlinkSync(path, link)
    const out = `${path}.csv`
    expect((await cli('convert', link, '--out', out)).stderr).toContain(`reading records of ${list}`)
    expect(headerOf(out)).toEqual([...names, 'extra'])
  })

  test('has the columns that the export left, by their new names', async () => {
    const path = await exported('m.ndjson', {
      exclude: ['bio', 'remote_data'],
      rename: ['name=full_name'],
      redact: ['emails=drop'],
    })
    const out = `${path}.csv`
    await cli('convert', path, '--out', out)
    const left = names.filter((name) => !['bio', 'remote_data', 'emails'].includes(name))
    expect(headerOf(out)).toEqual([...left.map((name) => (name === 'name' ? 'full_name' : name)), 'extra'])
  })

  test('flags win', async () => {
    const path = await exported('m.ndjson')
    const out = `${path}.csv`
    const { stderr } = await cli('convert', path, '--out', out, '--resource', 'crm/contacts')
    expect(stderr).not.toContain('reading records of')
    expect(headerOf(out)).toEqual(['id', 'extra'])
  })

  test.each(['json', 'ndjson'] as const)(
    'reads records by their keys from %s, as the manifest says',
    async (format) => {
      const path = await exported(`k.${format}`, { keyBy: 'id', exclude: ['id'] })
      const back = `${path}.back.ndjson`
      const { code } = await cli('convert', path, '--out', back)
      expect(code).toBe(0)
      const plain = await exported('plain.ndjson', { exclude: ['id'] })
      expect(readFileSync(back, 'utf8')).toBe(readFileSync(plain, 'utf8'))
      const again = `${path}.again.${format}`
      await cli('convert', path, '--out', again, '--key-by', '@key')
      expect(readFileSync(again, 'utf8')).toBe(readFileSync(path, 'utf8'))
    },
  )

  test('reads parts of a directory, and several files of one kind', async () => {
    const path = await exported('parts', { format: 'ndjson', partRows: 5 })
    const parts = [0, 1, 2].map((index) => join(path, `part-0000${index}.ndjson`))
    const out = `${path}.csv`
    expect((await cli('convert', ...parts, '--out', out)).stderr).toContain(`reading records of ${list}`)
    expect(headerOf(out)).toEqual([...names, 'extra'])
    expect((await cli('verify', out)).stdout).toContain('12 records')
  })
})

describe('nothing is taken', () => {
  test('from the manifest of another file, of one that was changed, or where one of several has none', async () => {
    const path = await exported('m.ndjson')
    expect(await besideOf([path])).toMatchObject({ resource: list, schema: null, inputFormat: null })
    const other = join(temporaryDirectory(), 'other.ndjson')
    copyFileSync(path, other)
    expect(await besideOf([other])).toBeNull()
    expect(await besideOf([path, other])).toBeNull()
    appendFileSync(path, '{"id":"more"}\n')
    expect(await besideOf([path])).toBeNull()
  })

  test('from records that were passed through unmapped, from what is no manifest, and from nothing', async () => {
    const clock = new FaultClock()
    const server = await emulate({ clock, members: 3, framing: 'slack' })
    const path = join(temporaryDirectory(), 's.ndjson')
    await exportRecords({ ...requestOf(server), clock, out: path, responseFormat: 'stream' })
    expect(await besideOf([path])).toBeNull()
    writeFileSync(sideNames(path).manifest, '{')
    expect(await besideOf([path])).toBeNull()
    expect(await besideOf([join(path, 'none')])).toBeNull()
    expect(await besideOf([])).toBeNull()
  })
})

test('schema learns the columns of an export of ours, and says of what', async () => {
  const path = await exported('k.json', { keyBy: 'id' })
  const { code, stdout, stderr } = await cli('schema', path)
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({ title: list })
  expect(stderr).toContain(`learned from 12 records of ${list}, as ${sideNames(path).manifest} says`)
})
