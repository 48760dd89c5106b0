// Published files against their manifests: what holds, and every way in which one can be another than it was.

import { spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import * as zlib from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { encodeManifest } from '../../src/checkpoint/manifest.js'
import { type ExportOptions, exportRecords } from '../../src/export/export.js'
import { sideNames } from '../../src/files/side-names.js'
import { verifyExport } from '../../src/verify.js'
import { emulate, FaultClock, requestOf, temporaryDirectory, token } from '../faults/harness.js'
import { runCommand } from '../helpers/command-line.js'
import { readManifest } from '../helpers/manifest.js'

const members = 12

async function exported(name: string, options: Partial<ExportOptions> = {}): Promise<string> {
  const clock = new FaultClock()
  const server = await emulate({ clock, members, pageSize: 5 })
  const path = join(temporaryDirectory(), name)
  await exportRecords({ ...requestOf(server), clock, out: path, ...options })
  return path
}

const shapes: readonly [name: string, options?: Partial<ExportOptions>][] = [
  ['a.ndjson'],
  ['a.ndjson.gz', { commitBytes: 7000 }],
  ['a.json'],
  ['a.json.gz'],
  ['a.csv', { csvQuote: "'", csvBom: true, csvLineEnd: 'crlf' }],
  ['a.csv.gz', { csvHeader: false }],
  ['b.csv', { csvEscape: 'backslash', csvNull: '\\N', csvLineFeeds: 'escape' }],
  ['a.parquet', { rowGroupRows: 5 }],
  ['b.parquet', { parquetWriter: 'parquetjs-lite' }],
  ['keyed.json', { keyBy: 'id' }],
  ['keyed.ndjson', { keyBy: 'id' }],
  ['nodigest.csv', { digest: 'none' }],
]

describe.each(shapes)('%s', (name, options) => {
  test('matches the manifest that its export made', async () => {
    const path = await exported(name, options)
    const verification = await verifyExport(path)
    expect(verification).toMatchObject({
      matches: true,
      differences: [],
      complete: true,
      records: { expected: members, found: members },
      bytes: { found: readFileSync(path).length },
    })
    if (options?.digest !== 'none') expect(verification.sha256.expected).toBe(verification.sha256.found)
  })

  test('does not where it is cut, longer, or has another byte', async () => {
    const path = await exported(name, options)
    const whole = readFileSync(path)
    for (const keep of [0, 1, Math.floor(whole.length / 2), whole.length - 1]) {
      truncateSync(path, keep)
      const { matches, differences } = await verifyExport(path)
      expect([matches, differences[0]]).toEqual([false, `it has ${keep} bytes, not ${whole.length}`])
      writeFileSync(path, whole)
    }
    appendFileSync(path, 'x')
    expect((await verifyExport(path)).matches).toBe(false)
    if (options?.digest === 'none') return
    for (const at of [0, Math.floor(whole.length / 3), whole.length - 1]) {
      const damaged = Buffer.from(whole)
      damaged[at]! ^= 1
      writeFileSync(path, damaged)
      const { matches, differences, bytes } = await verifyExport(path)
      expect([matches, bytes.found]).toEqual([false, whole.length])
      expect(differences[0]).toMatch(/^its SHA-256 is /)
    }
  })

  test('does not where its manifest tells of another number of records', async () => {
    const path = await exported(name, options)
    writeFileSync(sideNames(path).manifest, encodeManifest({ ...readManifest(path), records: members + 1 }))
    expect((await verifyExport(path)).differences).toEqual([`it has ${members} records, not ${members + 1}`])
  })
})

/** A file and a manifest that tells the truth about its bytes. */
async function forged(name: string, text: string | Buffer, options: Partial<ExportOptions> = {}): Promise<string> {
  const path = await exported(name, options)
  writeFileSync(path, text)
  const { bytes, sha256 } = await verifyExport(path)
  const manifest = { ...readManifest(path), bytes: bytes.found, sha256: sha256.found }
  writeFileSync(sideNames(path).manifest, encodeManifest(manifest))
  return path
}

describe('bytes that are as the manifest says and yet no output of their format', () => {
  const cases: readonly [
    what: string,
    name: string,
    text: string | Buffer,
    said: RegExp,
    options?: Partial<ExportOptions>,
  ][] = [
    ['a line that is no record', 'a.ndjson', '{"id":"1"}\nnull\n', /ERR_SCHEMA/],
    ['a last line without its end', 'a.ndjson', '{"id":"1"}', /the last line has no end/],
    ['an array that is open', 'a.json', '[{"id":"1"}\n', /ERR_BODY_TRUNCATED/],
    ['an object in place of an array', 'a.json', '{"result":[],"next_cursor":null}\n', /no array of records/],
    ['an array in place of an object', 'a.json', '[{"id":"1"}]\n', /no object of keyed records/, { keyBy: 'id' }],
    ['a row that is open', 'a.csv', '"id"\n"1', /stops inside row 2/],
    ['a last row without its end', 'a.csv', '"id"\n1', /stops inside row 2/],
    ['no header', 'a.csv', '', /no header/],
    ['bytes that are not UTF-8', 'a.csv', Buffer.from([0x69, 0x0a, 0xff, 0x0a]), /ERR_UTF8/],
    ['gzip that is none', 'a.ndjson.gz', 'plain', /ERR_BODY_CORRUPT/],
    [
      'gzip with something behind it',
      'a.ndjson.gz',
      Buffer.concat([zlib.gzipSync(''), Buffer.from('tail')]),
      /ERR_BODY_CORRUPT/,
    ],
    ['Parquet without its end', 'a.parquet', 'PAR1 and some more bytes', /does not end with PAR1/],
    ['Parquet with a footer longer than itself', 'a.parquet', 'PAR1....\xff\xff\xff\x0fPAR1', /says that its footer/],
    ['Parquet with an empty footer', 'a.parquet', Buffer.from('PAR1\0\x01\0\0\0PAR1'), /without a number of rows/],
    [
      'Parquet with a footer of noise',
      'a.parquet',
      Buffer.from('PAR1\x1c\x1c\x1c\x1c\x04\0\0\0PAR1'),
      /cannot be read: it is cut/,
    ],
  ]
  test.each(cases)('%s', async (_, name, text, said, options) => {
    const path = await forged(name, text, options)
    const { matches, differences, records } = await verifyExport(path)
    expect([matches, differences.length, records.found]).toEqual([false, 1, null])
    expect(differences[0]).toMatch(said)
  })
})

test('rows are counted as CSV has them, whatever is in quotes and however the bytes are cut', async () => {
  const { CsvRowCounter } = await import('../../src/verify/csv-rows.js')
  const bytes = Buffer.from('id,é\r\n"a\n""b""\r\n","§"\n,\n"x""","\n\n"\r\n')
  for (let at = 0; at <= bytes.length; at++) {
    const rows = new CsvRowCounter({ quote: '"', hasHeader: true })
    rows.add(bytes.subarray(0, at))
    rows.add(bytes.subarray(at))
    expect(rows.end()).toBe(3)
  }
})

describe('under zstd', () => {
  const hasZstd = 'createZstdDecompress' in zlib

  /** A frame that compresses nothing: one raw block (RFC 8878 §3.1.1). */
  function frame(content: string): Buffer {
    const bytes = Buffer.from(content)
    const head = Buffer.alloc(12)
    head.writeUInt32LE(0xfd2fb528, 0)
    head[4] = 0xa0 // a single segment, whose size has four bytes
    head.writeUInt32LE(bytes.length, 5)
    head.writeUIntLE(bytes.length * 8 + 1, 9, 3) // the last block
    return Buffer.concat([head, bytes])
  }

  async function framed(bytes: Buffer): Promise<string> {
    const path = await forged('a.ndjson', bytes)
    writeFileSync(sideNames(path).manifest, encodeManifest({ ...readManifest(path), compression: 'zstd', records: 3 }))
    return path
  }

  const bytes = Buffer.concat([frame('{"id":"1"}\n{"id":'), frame('"2"}\n'), frame('{"id":"3"}\n')])

  test('the records of all frames are counted where Node.js has zstd', async () => {
    const { matches, records, differences } = await verifyExport(await framed(bytes))
    expect({ matches, records, differences }).toEqual({
      matches: true,
      records: { expected: 3, found: hasZstd ? 3 : null },
      differences: [],
    })
  })

  test.skipIf(!hasZstd)('a frame that is cut, missing or damaged is told of', async () => {
    const said = async (bytes: Buffer): Promise<readonly string[]> =>
      (await verifyExport(await framed(bytes))).differences
    expect(await said(bytes.subarray(0, -3))).toEqual([expect.stringMatching(/ERR_BODY_TRUNCATED/)])
    expect(await said(Buffer.concat([bytes, Buffer.from('tail')]))).toEqual([expect.stringMatching(/ERR_BODY_CORRUPT/)])
    expect(await said(bytes.subarray(0, -frame('{"id":"3"}\n').length))).toEqual(['it has 2 records, not 3'])
  })
})

test('a list without a record is an output too, in every format', async () => {
  for (const [name, options] of shapes) {
    const clock = new FaultClock()
    const server = await emulate({ clock, members: 0 })
    const path = join(temporaryDirectory(), name)
    await exportRecords({ ...requestOf(server), clock, out: path, ...options })
    expect(await verifyExport(path)).toMatchObject({ matches: true, records: { found: 0 } })
  }
})

test('a record deeper and longer than the defaults allow is counted where the export was allowed it', async () => {
  const path = join(temporaryDirectory(), 'deep.ndjson')
  const deep = `${'['.repeat(998)}${']'.repeat(998)}`
  const input = Buffer.from(`{"id":"1","deep":${deep},"long":"${'x'.repeat(20 << 20)}"}\n`)
  await exportRecords({
    input: [input],
    inputFormat: 'ndjson',
    out: path,
    maxDepth: 1000,
    maxRecordBytes: 32 << 20,
    keyBy: 'id',
  })
  expect(await verifyExport(path)).toMatchObject({ matches: true, records: { found: 1 } })
})

describe('without a manifest', () => {
  test('there is nothing to hold a file against', async () => {
    const path = await exported('a.ndjson')
    unlinkSync(sideNames(path).manifest)
    await expect(verifyExport(path)).rejects.toMatchObject({ code: 'ERR_MANIFEST_MISSING', exitCode: 8 })
  })

  test('unless it is named, or stands beside what a link leads to', async () => {
    const path = await exported('a.ndjson')
    const link = `${path}.link`
    symlinkSync(path, link)
    expect((await verifyExport(link)).matches).toBe(true)
    const elsewhere = join(temporaryDirectory(), 'm.json')
    renameSync(sideNames(path).manifest, elsewhere)
    expect((await verifyExport(path, { manifest: elsewhere })).matches).toBe(true)
  })
})

describe('a directory of parts', () => {
  const parts = (options: Partial<ExportOptions>): Promise<string> => exported('parts', { partRows: 5, ...options })
  const formats = ['ndjson', 'json', 'csv', 'parquet'] as const

  test.each(formats)('of %s matches its manifest', async (format) => {
    const path = await parts({ format })
    const { parts: told, bytes } = readManifest(path)
    expect(told?.map(({ name }) => name)).toEqual([0, 1, 2].map((index) => `part-0000${index}.${format}`))
    expect(told!.reduce((sum, part) => sum + part.bytes, 0)).toBe(bytes)
    expect(await verifyExport(path)).toMatchObject({ matches: true, records: { expected: members, found: members } })
  })

  test.each([...formats, 'ndjson.gz'])('of %s without a record is one part', async (extension) => {
    const [format, compression] = extension.split('.') as [ExportOptions['format'], string | undefined]
    const compress = compression === undefined ? 'none' : 'gzip'
    const path = join(temporaryDirectory(), 'parts')
    const input = Buffer.from('{"result":[],"next_cursor":null}')
    await exportRecords({ input, out: path, partRows: 5, format, compress })
    expect(readdirSync(path)).toEqual([`part-00000.${extension}`])
    expect(readManifest(path).parts).toEqual([{ name: `part-00000.${extension}`, bytes: expect.any(Number) }])
    expect(await verifyExport(path)).toMatchObject({ matches: true, records: { expected: 0, found: 0 } })
  })

  test.each(formats)(
    'of %s does not where parts changed places, one is missing, cut or one too many',
    async (format) => {
      const path = await parts({ format })
      const at = (index: number): string => join(path, `part-0000${index}.${format}`)
      const said = async (): Promise<readonly string[]> => (await verifyExport(path)).differences
      renameSync(at(0), at(7))
      expect(await said()).toContain(`its part part-00000.${format} is missing`)
      renameSync(at(1), at(0))
      renameSync(at(7), at(1))
      expect(await said()).toEqual([
        expect.stringContaining('its part part-00000.'),
        expect.stringContaining('its part part-00001.'),
        expect.stringMatching(/^its SHA-256 is /),
      ])
      renameSync(at(1), at(7))
      renameSync(at(0), at(1))
      renameSync(at(7), at(0))
      writeFileSync(join(path, 'notes.txt'), '')
      expect(await said()).toEqual(['it holds notes.txt, which is no part of it'])
      unlinkSync(join(path, 'notes.txt'))
      const { length } = readFileSync(at(1))
      truncateSync(at(1), length - 1)
      const { bytes } = readManifest(path)
      expect(await said()).toContain(`it has ${bytes - 1} bytes, not ${bytes}`)
      expect(await said()).toContain(`its part part-00001.${format} has ${length - 1} bytes, not ${length}`)
    },
  )

  test.each(['sha256', 'none'] as const)(
    'does not where a record moved from one part to the next (digest %s)',
    async (digest) => {
      const path = await parts({ format: 'ndjson', digest })
      const [one, other] = [0, 1].map((index) => join(path, `part-0000${index}.ndjson`))
      const [before, behind] = [readFileSync(one!), readFileSync(other!)]
      const end = before.lastIndexOf('\n', -2) + 1
      writeFileSync(one!, before.subarray(0, end))
      writeFileSync(other!, Buffer.concat([before.subarray(end), behind]))
      const moved = before.length - end
      expect((await verifyExport(path)).differences).toEqual([
        `its part part-00000.ndjson has ${end} bytes, not ${before.length}`,
        `its part part-00001.ndjson has ${behind.length + moved} bytes, not ${behind.length}`,
      ])
    },
  )

  test('that became a file is another output, and parts of a manifest are names and no paths', async () => {
    const path = await parts({ format: 'csv' })
    const manifest = readManifest(path)
    const strange = { ...manifest, parts: [{ name: '../parts.manifest.json', bytes: 1 }] }
    writeFileSync(sideNames(path).manifest, encodeManifest(strange))
    await expect(verifyExport(path)).rejects.toMatchObject({ code: 'ERR_MANIFEST_CORRUPT' })
    writeFileSync(sideNames(path).manifest, encodeManifest(manifest))
    renameSync(path, `${path}.away`)
    writeFileSync(path, 'id')
    expect((await verifyExport(path)).differences[0]).toBe('it is a file, and no directory of parts')
  })
})

test('a manifest that is damaged is exit 8, a file that is not there exit 2, a directory exit 7', async () => {
  const path = await exported('a.ndjson')
  truncateSync(sideNames(path).manifest, 100)
  await expect(verifyExport(path)).rejects.toMatchObject({ code: 'ERR_MANIFEST_CORRUPT', exitCode: 8 })
  await expect(verifyExport(`${path}.absent`)).rejects.toMatchObject({ exitCode: 2 })
  const whole = await exported('b.ndjson')
  unlinkSync(whole)
  mkdirSync(whole)
  await expect(verifyExport(whole)).rejects.toMatchObject({ code: 'ERR_OUTPUT_ACCESS', exitCode: 7 })
})

test.runIf(process.platform === 'linux').each(['gzip', 'zstd'] as const)(
  'a file under %s that is damaged does not stay open',
  async (compression) => {
    const path = await exported('a.ndjson.gz')
    writeFileSync(path, randomBytes(1024 * 1024))
    writeFileSync(sideNames(path).manifest, encodeManifest({ ...readManifest(path), compression }))
    const verification = await verifyExport(path)
    expect(verification.sha256.found).toBe(createHash('sha256').update(readFileSync(path)).digest('hex'))
    await new Promise((resolve) => setTimeout(resolve, 50))
    const open = readdirSync('/proc/self/fd').map((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`)
      } catch {
        return '' // that of the directory itself
      }
    })
    expect(open).not.toContain(path)
  },
)

test('an abort ends it with its reason', async () => {
  const path = await exported('a.ndjson')
  const reason = new Error('enough')
  await expect(verifyExport(path, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
})

describe('on the command line', () => {
  async function verify(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    const { exitCode: code, stdout, stderr } = await runCommand(['verify', ...args])
    return { code, stdout, stderr }
  }

  test('what matches is exit 0 and one line', async () => {
    const path = await exported('a.csv.gz')
    const { code, stdout, stderr } = await verify(path)
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(
      /^\S+a\.csv\.gz matches its manifest: 12 records, [\d.,]+ \w+ of csv under gzip, sha256 [0-9a-f]{64}\n$/,
    )
  })

  test('records under zstd are counted, or the line says why not', async () => {
    const path = await forged('a.ndjson', Buffer.from('28b52ffda00b0000005900007b226964223a2231227d0a', 'hex'))
    writeFileSync(sideNames(path).manifest, encodeManifest({ ...readManifest(path), compression: 'zstd', records: 1 }))
    const { code, stdout } = await verify(path)
    expect(code).toBe(0)
    const counted =
      'createZstdDecompress' in zlib
        ? '1 records'
        : `records not counted (under zstd that needs Node.js 22.15 or newer, and this is ${process.version})`
    expect(stdout).toContain(`${path} matches its manifest: ${counted}, 23 B of ndjson under zstd`)
  })

  test('what differs is exit 8 and one line that names all of it, also as JSON', async () => {
    const path = await exported('a.ndjson')
    appendFileSync(path, '{"id":"more"}\n')
    const { code, stdout, stderr } = await verify(path, '--json')
    expect(code).toBe(8)
    expect(stderr).toMatch(
      /^truto-export: ERR_OUTPUT_DIFFERS: \S+ is not what its manifest tells of: it has \d+ bytes, not \d+, its SHA-256 is \w+, not \w+, it has 13 records, not 12;.*\n$/,
    )
    expect(JSON.parse(stdout)).toEqual(
      await verifyExport(path).then((verification) => JSON.parse(JSON.stringify(verification)) as unknown),
    )
    expect(stderr + stdout).not.toContain(token)
  })

  /** A folder with three exports in it, one of them in parts and one below, and what is none. */
  async function lake(): Promise<string> {
    const server = await emulate({ clock: new FaultClock(), members, pageSize: 5 })
    const directory = join(temporaryDirectory(), 'lake')
    mkdirSync(join(directory, 'dt=1'), { recursive: true })
    const options = { ...requestOf(server), clock: new FaultClock() }
    await exportRecords({ ...options, out: join(directory, 'a.ndjson') })
    await exportRecords({ ...options, out: join(directory, 'dt=1', 'b.csv') })
    await exportRecords({ ...options, out: join(directory, 'parts'), format: 'ndjson', partRows: 4 })
    writeFileSync(join(directory, 'notes.txt'), 'x')
    // under the name that manifests had before
    renameSync(sideNames(join(directory, 'a.ndjson')).manifest, join(directory, 'a.ndjson.manifest.json'))
    return directory
  }

  test('a folder is every export in it and below, one line each, and a summary', async () => {
    const directory = await lake()
    const { code, stdout, stderr } = await verify(directory)
    expect(code).toBe(0)
    const lines = stdout.split('\n').slice(0, -1)
    expect(lines.map((line) => line.split(' matches its manifest: 12 records, ')[0])).toEqual([
      join(directory, 'a.ndjson'),
      join(directory, 'dt=1', 'b.csv'),
      join(directory, 'parts'),
    ])
    expect(stderr).toMatch(/^truto-export: 3 exports verified, [\d.]+ \w+: all are what their manifests tell of\n$/)
  })

  test('several paths are as many lines, and what is wrong with one leaves out no other', async () => {
    const directory = await lake()
    appendFileSync(join(directory, 'dt=1', 'b.csv'), 'x\n')
    unlinkSync(join(directory, 'a.ndjson'))
    const other = await exported('other.ndjson')
    const { code, stdout, stderr } = await verify(`${directory}/`, other)
    expect(code).toBe(8)
    const lines = stdout.split('\n').slice(0, -1)
    expect(lines).toHaveLength(4)
    expect(lines[0]).toContain(
      `${join(directory, 'a.ndjson')} cannot be verified: ERR_OPTION_INVALID: there is no file`,
    )
    expect(lines[1]).toContain('b.csv differs: it has')
    expect(lines[2]).toContain('parts matches its manifest')
    expect(lines[3]).toContain('other.ndjson matches its manifest')
    expect(stderr).toMatch(
      /^truto-export: ERR_OUTPUT_DIFFERS: 2 of 4 exports are not what the manifests tell of: [^\n]*\n$/,
    )
    const json = await verify(directory, '--json')
    expect(
      json.stdout
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line).matches),
    ).toEqual([false, false, true])
  })

  test('a folder without an export, and --manifest for several, are refused', async () => {
    const { code, stderr } = await verify(temporaryDirectory())
    expect(code).toBe(8)
    expect(stderr).toContain('there is no manifest beside')
    expect((await verify('a', 'b', '--manifest', 'c')).code).toBe(2)
  })

  test.skipIf(process.platform === 'win32')(
    'a FIFO in the place of a manifest, an output or a part is no reason to wait',
    async () => {
      const directory = await lake()
      const fifo = (path: string): void => {
        unlinkSync(path)
        expect(spawnSync('mkfifo', [path]).status).toBe(0)
      }
      fifo(join(directory, 'a.ndjson'))
      fifo(join(directory, 'parts', 'part-00001.ndjson'))
      fifo(sideNames(join(directory, 'dt=1', 'b.csv')).manifest)
      const { code, stdout } = await verify(directory)
      expect(code).toBe(8)
      expect(stdout).toMatch(/a\.ndjson differs: it is no file/)
      expect(stdout).toMatch(/its part part-00001\.ndjson is no file/)
      expect(stdout).toMatch(/b\.csv cannot be verified: ERR_MANIFEST_CORRUPT: \S+ is no file/)
    },
  )

  test('hundreds of parts are read through one slicer and one buffer', async () => {
    const directory = join(temporaryDirectory(), 'many')
    const count = 300
    const lines = Array.from({ length: count }, (_, i) => `{"id":"${i}"}\n`)
    await exportRecords({
      input: Buffer.from(lines.join('')),
      inputFormat: 'ndjson',
      format: 'ndjson',
      out: directory,
      partRows: 1,
    })
    const { Instance } = WebAssembly
    let instances = 0
    WebAssembly.Instance = class extends Instance {
      constructor(...given: ConstructorParameters<typeof Instance>) {
        super(...given)
        instances++
      }
    }
    try {
      expect(await verifyExport(directory)).toMatchObject({ matches: true, records: { found: count } })
      expect(instances).toBeLessThanOrEqual(1)
    } finally {
      WebAssembly.Instance = Instance
    }
  })

  test('--json is one line of JSON, --manifest names another manifest', async () => {
    const path = await exported('a.ndjson')
    const other = `${path}.other`
    renameSync(sideNames(path).manifest, other)
    expect(await verify(path)).toMatchObject({ code: 8, stdout: '' })
    const { code, stdout } = await verify(path, '--json', '--manifest', other)
    expect([code, JSON.parse(stdout)]).toEqual([0, expect.objectContaining({ matches: true, manifest: other })])
    expect((await verify()).code).toBe(2)
  })
})
