// What stands beside an output, and whose it is: what somebody else has put there is not read, followed, emptied or
// waited for; what is too old or not ours is not resumed; and where no output can be put is known before the first
// request.

import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { minute } from '../../src/bytes/units.js'
import { fileDestination } from '../../src/destination/file.js'
import type { Emulator } from '../../src/emulator/emulator.js'
import { ExportError } from '../../src/errors.js'
import { type ExportOptions, exportRecords } from '../../src/export/export.js'
import { type FileSystem, type OpenFile, systemFiles } from '../../src/files/file-system.js'
import { sideNames } from '../../src/files/side-names.js'
import type { ExportEvent, ExportReport } from '../../src/report.js'
import { expectNoLie, readManifest } from '../helpers/manifest.js'
import { emulate, FaultClock, membersText, requestOf, temporaryDirectory } from './harness.js'

const list = { members: 24, pageSize: 5 } as const
const whole = membersText(list)
const isRoot = process.getuid?.() === 0
const hour = 60 * minute

interface Attempt {
  readonly report?: ExportReport
  readonly error?: unknown
  readonly events: readonly ExportEvent[]
}

/** One list and a place for it. */
class Scene {
  readonly clock = new FaultClock()
  readonly directory = temporaryDirectory()
  readonly server: Emulator
  path: string

  constructor(server: Emulator, name = 'out.ndjson') {
    this.server = server
    this.path = join(this.directory, name)
  }

  static async open(name?: string): Promise<Scene> {
    return new Scene(await emulate(list), name)
  }

  get sides() {
    return sideNames(this.path)
  }

  async attempt(options: Partial<ExportOptions> = {}): Promise<Attempt> {
    const events: ExportEvent[] = []
    const all = {
      ...requestOf(this.server),
      out: this.path,
      format: 'ndjson' as const,
      clock: this.clock,
      tries: 1,
      ...options,
    }
    try {
      return { events, report: await exportRecords({ ...all, onEvent: (event) => events.push(event) }) }
    } catch (error) {
      return { events, error }
    }
  }

  /** An export that the server ends after ten records, which are kept. */
  async interrupt(options: Partial<ExportOptions> = {}): Promise<void> {
    this.server.setFaults([{ kind: 'status', page: 3, status: 500 }])
    const { error } = await this.attempt(options)
    expect(error).toMatchObject({ code: 'ERR_SERVER' })
    expect(readdirSync(this.directory)).toContain(basename(this.sides.checkpoint))
    this.server.setFaults([])
  }

  expectWhole({ error, report }: Attempt): void {
    if (error !== undefined) throw error
    expect(report!.records).toBe(list.members)
    expect(readFileSync(this.path, 'utf8')).toBe(whole)
    expect(readdirSync(this.directory).sort()).toEqual([basename(this.sides.manifest), basename(this.path)].sort())
    expect(expectNoLie(this.path)).toBe(true)
  }
}

describe('an interrupted export', () => {
  test('is resumed for some hours, with its age in the report and, from an hour on, a warning that is not in the manifest', async () => {
    const manifests: object[] = []
    for (const [age, codes] of [
      [59 * minute, []],
      [5 * hour + 40 * minute, ['resumed-late']],
    ] as const) {
      const scene = await Scene.open()
      await scene.interrupt()
      scene.clock.wall += age
      const attempt = await scene.attempt()
      scene.expectWhole(attempt)
      expect(attempt.report!.resumedFrom).toMatchObject({ records: 10, ageMs: age })
      expect(attempt.report!.warnings.map(({ code }) => code)).toEqual(codes)
      if (codes.length > 0) expect(attempt.report!.warnings[0]!.message).toContain('interrupted for 5h 40m')
      const { run, versions, fingerprint, source, ...same } = readManifest(scene.path)
      expect(run.resumedFrom).toMatchObject({ ageMs: age })
      manifests.push(same)
    }
    expect(manifests[1]).toEqual(manifests[0])
  })

  test.each([6 * hour + minute, -7 * hour])(
    'that was saved %i ms ago is dropped, which is told, and the output is that of one time',
    async (age) => {
      const scene = await Scene.open()
      await scene.interrupt()
      scene.clock.wall += age
      const { requests } = scene.server
      const attempt = await scene.attempt()
      expect(attempt.events.map(({ kind }) => kind)).toContain('expired')
      expect(attempt.events.find(({ kind }) => kind === 'expired')).toMatchObject({ records: 10, ageMs: Math.abs(age) })
      expect(scene.server.requests - requests).toBe(5)
      expect(attempt.report!.resumedFrom).toBeNull()
      scene.expectWhole(attempt)
    },
  )

  test('may be older where that is asked for, and an age that is too old is an error where it has to be resumed', async () => {
    const scene = await Scene.open()
    await scene.interrupt()
    scene.clock.wall += 30 * hour
    const before = readFileSync(scene.sides.partial)
    const refused = await scene.attempt({ resume: true })
    expect(refused.error).toMatchObject({
      code: 'ERR_STATE_EXPIRED',
      exitCode: 8,
      hint: expect.stringContaining('--resume-max-age'),
    })
    expect(readFileSync(scene.sides.partial).equals(before)).toBe(true)
    const attempt = await scene.attempt({ resume: true, resumeMaxAgeMs: 48 * hour })
    expect(attempt.report!.resumedFrom).toMatchObject({ records: 10 })
    scene.expectWhole(attempt)
  })

  test('of other options does not stop every later night once it is too old', async () => {
    const scene = await Scene.open()
    await scene.interrupt()
    expect((await scene.attempt({ limit: 7 })).error).toMatchObject({ code: 'ERR_STATE_MISMATCH' })
    scene.clock.wall += 24 * hour
    const attempt = await scene.attempt({ limit: 7 })
    expect(attempt.events[0]).toMatchObject({ kind: 'expired' })
    scene.expectWhole(attempt)
  })

  const digests = ['sha256', 'none'] as const
  test.each(digests)('whose kept bytes were changed in their middle is refused, with digest %s', async (digest) => {
    const scene = await Scene.open()
    await scene.interrupt({ digest })
    const bytes = readFileSync(scene.sides.partial)
    bytes[20]! ^= 1
    writeFileSync(scene.sides.partial, bytes)
    const { requests } = scene.server
    const { error } = await scene.attempt({ digest })
    expect(error).toMatchObject({ code: 'ERR_STATE_OUTPUT', exitCode: 8 })
    expect([scene.server.requests, readFileSync(scene.sides.partial)]).toEqual([requests, bytes])
  })

  test('goes on with another digest than before', async () => {
    for (const [first, then] of [digests, [...digests].reverse() as unknown as typeof digests]) {
      const scene = await Scene.open()
      await scene.interrupt({ digest: first })
      const attempt = await scene.attempt({ digest: then })
      expect(readFileSync(scene.path, 'utf8')).toBe(whole)
      expect(attempt.report!.resumedFrom).toMatchObject({ records: 10 })
      expect(attempt.report!.digest === null).toBe(then === 'none')
    }
  })

  const foreign: [string, (path: string) => void, boolean][] = [
    ['that others may write to', (path) => chmodSync(path, statSync(path).mode | 0o020), false],
    ['that anybody may write to', (path) => chmodSync(path, statSync(path).mode | 0o002), false],
    ['of another user', (path) => chownSync(path, 65_534, 65_534), true],
  ]
  describe.each(foreign)('with files %s', (_, change, needsRoot) => {
    test.each(['partial', 'checkpoint'] as const)('a %s is refused, and dropped by a restart', async (which) => {
      if (needsRoot && !isRoot) return
      const scene = await Scene.open()
      await scene.interrupt()
      change(scene.sides[which])
      const before = [readFileSync(scene.sides.partial), readFileSync(scene.sides.checkpoint)]
      const { requests } = scene.server
      const { error } = await scene.attempt()
      expect(error).toMatchObject({
        code: 'ERR_STATE_FOREIGN',
        exitCode: 8,
        hint: expect.stringContaining('--restart'),
      })
      expect(scene.server.requests).toBe(requests)
      expect([readFileSync(scene.sides.partial), readFileSync(scene.sides.checkpoint)]).toEqual(before)
      scene.expectWhole(await scene.attempt({ restart: true }))
      expect(statSync(scene.path).uid).toBe(process.getuid?.())
    })
  })

  test('with a directory of parts, or a part, that others may write to is refused', async () => {
    for (const inside of ['', '/part-00000.ndjson']) {
      const scene = await Scene.open('parts')
      await scene.interrupt({ partRows: 5 })
      const path = `${scene.sides.partial}${inside}`
      chmodSync(path, statSync(path).mode | 0o002)
      const { error } = await scene.attempt({ partRows: 5 })
      expect(error).toMatchObject({ code: 'ERR_STATE_FOREIGN', message: `${path} can be written to by other users` })
    }
  })

  test('is resumed under any name that a file may have', async () => {
    const server = await emulate(list)
    for (let bytes = 180; bytes <= 255; bytes++) {
      const scene = new Scene(server, 'x'.repeat(bytes))
      await scene.interrupt()
      const attempt = await scene.attempt()
      expect(attempt.report?.resumedFrom).toMatchObject({ records: 10 })
      scene.expectWhole(attempt)
      rmSync(scene.directory, { recursive: true })
    }
  })
})

describe('permissions', () => {
  test.each([
    [0o022, 0o644],
    [0o002, 0o664],
    [0o077, 0o600],
  ])(
    'under the umask %o an output has %o, and until it is complete nobody else may write to it',
    async (mask, mode) => {
      const before = process.umask(mask)
      onTestFinished(() => void process.umask(before))
      const scene = await Scene.open()
      await scene.interrupt()
      expect(statSync(scene.sides.partial).mode & 0o777).toBe(mode & ~0o022)
      scene.expectWhole(await scene.attempt())
      expect([statSync(scene.path).mode & 0o777, statSync(scene.sides.manifest).mode & 0o777]).toEqual([mode, mode])
      const parts = await Scene.open('parts')
      await parts.interrupt({ partRows: 5 })
      const first = join(parts.sides.partial, 'part-00000.ndjson')
      expect([statSync(parts.sides.partial).mode & 0o022, statSync(first).mode & 0o022]).toEqual([0, 0])
      expect((await parts.attempt({ partRows: 5 })).error).toBeUndefined()
      const modes = readdirSync(parts.path).map((name) => statSync(join(parts.path, name)).mode & 0o777)
      expect([statSync(parts.path).mode & 0o777, ...modes]).toEqual([0o777 & ~mask, ...modes.map(() => mode)])
    },
  )
})

describe('what somebody put in the place of a file of ours', () => {
  const fifo = (path: string): void => void execFileSync('mkfifo', [path])
  const cases: [string, (path: string, scene: Scene) => void][] = [
    ['a FIFO', fifo],
    ['a link to nothing', (path) => symlinkSync('/nowhere/at/all', path)],
    [
      'a link to a file of theirs',
      (path, scene) => {
        writeFileSync(join(scene.directory, 'precious'), 'precious')
        symlinkSync('precious', path)
      },
    ],
    ['a directory', (path) => mkdirSync(path)],
  ]
  describe.each(cases)('%s', (what, put) => {
    test.each(['checkpoint', 'lock', 'manifest'] as const)('as %s is refused at once and stays', async (which) => {
      const scene = await Scene.open()
      put(scene.sides[which], scene)
      const { ino } = lstatSync(scene.sides[which])
      const { error } = await scene.attempt()
      expect(error).toBeInstanceOf(ExportError)
      expect(['ERR_OUTPUT_ACCESS', 'ERR_OUTPUT_EXISTS']).toContain((error as ExportError).code)
      expect((error as ExportError).message).toContain(scene.sides[which])
      expect([scene.server.requests, lstatSync(scene.sides[which]).ino]).toEqual([0, ino])
      if (what.includes('theirs')) expect(readFileSync(join(scene.directory, 'precious'), 'utf8')).toBe('precious')
      const own = [basename(scene.sides[which]), 'precious']
      expect(readdirSync(scene.directory).filter((name) => !own.includes(name))).toEqual([])
    })

    test('as what is kept is not resumed', async () => {
      const scene = await Scene.open()
      await scene.interrupt()
      rmSync(scene.sides.partial)
      put(scene.sides.partial, scene)
      const { error } = await scene.attempt()
      expect(error).toMatchObject({ code: 'ERR_OUTPUT_ACCESS', exitCode: 7 })
    })
  })

  test('a link to a directory, or one that we did not make, in the place of the parts is not emptied', async () => {
    const theirs = { 'part-00000.ndjson': 'theirs', 'part-00001.ndjson': 'too' }
    for (const [isLink, names] of [
      [true, theirs],
      [false, theirs],
      [false, { ...theirs, 'part-00001.data.txt': 'notes' }],
    ] as const) {
      for (const interrupted of [false, true]) {
        const scene = await Scene.open('members')
        if (interrupted) {
          await scene.interrupt({ partRows: 5 })
          rmSync(scene.sides.partial, { recursive: true })
        }
        const archive = isLink ? join(scene.directory, 'archive') : scene.sides.partial
        mkdirSync(archive)
        for (const [name, text] of Object.entries(names)) writeFileSync(join(archive, name), text)
        if (isLink) symlinkSync('archive', scene.sides.partial)
        for (const restart of interrupted ? [false, true] : [false]) {
          const { error } = await scene.attempt({ partRows: 5, restart })
          expect((error as ExportError).exitCode).toBeGreaterThan(6)
          const found = readdirSync(archive).map((name) => [name, readFileSync(join(archive, name), 'utf8')])
          expect(Object.fromEntries(found)).toEqual(names)
        }
      }
    }
  })

  test('the directory of parts of a run that was killed without a checkpoint is ours, and replaced', async () => {
    const scene = await Scene.open('members')
    mkdirSync(scene.sides.partial)
    writeFileSync(join(scene.sides.partial, '_truto-export'), '')
    writeFileSync(join(scene.sides.partial, 'part-00000.ndjson'), 'old')
    expect((await scene.attempt({ partRows: 5 })).error).toBeUndefined()
    expect(readdirSync(scene.path)).toHaveLength(5)
    expect(readdirSync(scene.directory).sort()).toEqual(['_members.manifest.json', 'members'])
  })

  test('a file that appears under the name of the manifest during the export stays, and the complete output is kept', async () => {
    for (const options of [{}, { partRows: 5 }]) {
      const scene = await Scene.open('out')
      const { error } = await scene.attempt({
        ...options,
        transform: (record) => {
          writeFileSync(scene.sides.manifest, 'theirs')
          return record
        },
      })
      expect(error).toMatchObject({
        code: 'ERR_OUTPUT_RENAME',
        exitCode: 7,
        message: expect.stringContaining(scene.sides.manifest),
      })
      expect((error as ExportError).left).toContain(`${basename(scene.sides.partial)} is kept`)
      expect([readFileSync(scene.sides.manifest, 'utf8'), existsSync(scene.path)]).toEqual(['theirs', false])
      if (!('partRows' in options)) expect(readFileSync(scene.sides.partial, 'utf8')).toBe(whole)
    }
  })
})

describe('a mount point', () => {
  const mount = (args: readonly string[], at: string): void => {
    execFileSync('mount', [...args, at])
    onTestFinished(() => void spawnSync('umount', [at]))
  }

  test('as the directory of parts is refused before the first request, with a way out that works', async ({ skip }) => {
    skip(process.platform !== 'linux' || !isRoot, 'mounting needs root on Linux')
    const scene = await Scene.open('volume with a blank')
    mkdirSync(scene.path)
    mount(['-t', 'tmpfs', 'tmpfs'], scene.path)
    for (const out of [scene.path, `${scene.path}/`]) {
      const { error } = await scene.attempt({ out, partRows: 5, overwrite: true })
      expect(error).toMatchObject({ code: 'ERR_OUTPUT_ACCESS', exitCode: 7, hint: 'give a path inside it' })
    }
    expect([scene.server.requests, readdirSync(scene.directory)]).toEqual([0, ['volume with a blank']])
    const inside = await scene.attempt({ out: join(scene.path, 'members'), partRows: 5 })
    expect(inside.report!.records).toBe(list.members)
  })

  test('as the file, as containers have them, is refused before the first request', async ({ skip }) => {
    skip(process.platform !== 'linux' || !isRoot, 'mounting needs root on Linux')
    const scene = await Scene.open()
    writeFileSync(scene.path, 'old')
    const real = join(temporaryDirectory(), 'real')
    writeFileSync(real, 'real')
    mount(['--bind', real], scene.path)
    const { error } = await scene.attempt({ overwrite: true })
    expect(error).toMatchObject({
      code: 'ERR_OUTPUT_ACCESS',
      exitCode: 7,
      hint: expect.stringContaining('mount its directory'),
    })
    expect([scene.server.requests, readFileSync(real, 'utf8'), readdirSync(scene.directory)]).toEqual([
      0,
      'real',
      ['out.ndjson'],
    ])
  })

  test('that appears during the export leaves the complete file, and a command that publishes it', async ({ skip }) => {
    skip(process.platform !== 'linux' || !isRoot, 'mounting needs root on Linux')
    const scene = await Scene.open()
    writeFileSync(scene.path, 'old')
    const real = join(temporaryDirectory(), 'real')
    writeFileSync(real, 'real')
    let isMounted = false
    const { error } = await scene.attempt({
      overwrite: true,
      transform: (record) => {
        if (!isMounted) mount(['--bind', real], scene.path)
        isMounted = true
        return record
      },
    })
    const command = (error as Error).message.split('to publish it: ')[1]!
    execFileSync('sh', ['-c', command])
    expect(readFileSync(scene.path, 'utf8')).toBe(readFileSync(scene.sides.partial, 'utf8'))
    expect(readFileSync(scene.path, 'utf8').split('\n')).toHaveLength(list.members + 1)
  })
})

describe('a working directory', () => {
  test('has all but the output and its manifest, also after an interruption and for outputs of one name', async () => {
    const server = await emulate(list)
    const [one, two] = [new Scene(server), new Scene(server)]
    const workDir = temporaryDirectory()
    for (const scene of [one, two]) {
      server.setFaults([{ kind: 'status', page: 3, status: 500 }])
      expect((await scene.attempt({ workDir })).error).toMatchObject({
        code: 'ERR_SERVER',
        left: expect.stringContaining(`kept in ${workDir}/_out.ndjson~`),
      })
      expect(readdirSync(scene.directory)).toEqual([])
      server.setFaults([])
    }
    const names = readdirSync(workDir)
    expect(names.map((name) => name.replace(/~[0-9a-f]{16}/, '')).sort()).toEqual(
      ['checkpoint', 'checkpoint', 'partial', 'partial'].map((end) => `_out.ndjson.${end}`),
    )
    for (const scene of [two, one]) {
      const attempt = await scene.attempt({ workDir })
      expect(attempt.report!.resumedFrom).toMatchObject({ records: 10 })
      scene.expectWhole(attempt)
    }
    expect(readdirSync(workDir)).toEqual([])
    const parts = new Scene(server, 'parts')
    expect((await parts.attempt({ workDir, partRows: 5 })).report!.records).toBe(list.members)
    expect([readdirSync(workDir), readdirSync(parts.directory).sort()]).toEqual([[], ['_parts.manifest.json', 'parts']])
  })

  test('that cannot be one is exit 2 before the first request', async ({ skip }) => {
    const scene = await Scene.open()
    const file = join(temporaryDirectory(), 'file')
    writeFileSync(file, '')
    for (const workDir of [file, join(file, 'x'), join(scene.directory, 'missing')]) {
      expect((await scene.attempt({ workDir })).error).toMatchObject({ code: 'ERR_OPTION_INVALID', exitCode: 2 })
    }
    expect(scene.server.requests).toBe(0)
    skip(process.platform !== 'linux' || !isRoot, 'mounting needs root on Linux')
    const other = join(temporaryDirectory(), 'other')
    const here = join(scene.directory, 'here')
    for (const [args, at] of [
      [['-t', 'tmpfs', 'tmpfs'], other],
      [['--bind', temporaryDirectory()], here], // of the same file system, and still no file can be renamed from it
    ] as const) {
      mkdirSync(at)
      execFileSync('mount', [...args, at])
      onTestFinished(() => {
        spawnSync('umount', [at])
        rmdirSync(at)
      })
      const { error } = await scene.attempt({ workDir: at })
      expect(error).toMatchObject({
        code: 'ERR_OPTION_INVALID',
        exitCode: 2,
        message: expect.stringContaining('another file system'),
      })
    }
    expect(scene.server.requests).toBe(0)
  })
})

describe('a manifest elsewhere', () => {
  test('goes where it is told to, by way of a name with _, and nowhere else', async () => {
    const scene = await Scene.open()
    const elsewhere = temporaryDirectory()
    const names: string[] = []
    const manifest = join(elsewhere, 'm.json')
    const files: FileSystem = {
      ...systemFiles,
      open: async (path, ...given) => {
        names.push(path)
        return systemFiles.open(path, ...given)
      },
    }
    const destination = fileDestination(scene.path, { files, manifest })
    const { report } = await scene.attempt({ destination })
    expect(report!.manifest).toBe(manifest)
    expect([readdirSync(scene.directory), readdirSync(elsewhere)]).toEqual([['out.ndjson'], ['m.json']])
    expect(names).toContain(join(elsewhere, '_m.json.tmp'))
    expect((await scene.attempt({ manifest, overwrite: true })).report!.manifest).toBe(manifest)
  })

  test('where there is no such directory, nothing can be made in it or something else has the name, is known before the first request', async () => {
    const scene = await Scene.open()
    const file = join(scene.directory, 'theirs')
    writeFileSync(file, '{"name":"a web app"}')
    const directory = temporaryDirectory()
    mkdirSync(join(directory, '_m.json.tmp'))
    const names = [join(scene.directory, 'missing/m.json'), join(file, 'm.json'), join(directory, 'm.json'), directory]
    for (const manifest of names) {
      expect((await scene.attempt({ manifest })).error).toMatchObject({ exitCode: 7 })
    }
    const files: FileSystem = {
      ...systemFiles,
      open: async (path, ...given) => {
        if (path.startsWith(directory)) throw Object.assign(new Error('EROFS'), { code: 'EROFS', syscall: 'open' })
        return systemFiles.open(path, ...given)
      },
    }
    const destination = fileDestination(scene.path, { files, manifest: join(directory, 'other.json') })
    expect((await scene.attempt({ destination })).error).toMatchObject({ code: 'ERR_OUTPUT_ACCESS', exitCode: 7 })
    expect((await scene.attempt({ manifest: file })).error).toMatchObject({ code: 'ERR_OUTPUT_EXISTS', exitCode: 2 })
    expect([scene.server.requests, readdirSync(scene.directory)]).toEqual([0, ['theirs']])
  })
})

describe('a manifest, or a working directory, that would be what the export itself writes', () => {
  test.each([
    'out.ndjson',
    '_out.ndjson.partial',
    '_out.ndjson.checkpoint',
    '_out.ndjson.lock',
    './out.ndjson',
    'm.json/',
  ])('manifest %s is exit 2 before the first request, and nothing is touched', async (name) => {
    const scene = await Scene.open()
    const linked = join(temporaryDirectory(), 'linked')
    symlinkSync(scene.directory, linked)
    for (const directory of [scene.directory, linked]) {
      const { error } = await scene.attempt({ manifest: `${directory}/${name}` })
      expect(error).toMatchObject({
        code: 'ERR_OPTION_INVALID',
        exitCode: 2,
        message: expect.stringContaining('the manifest'),
      })
    }
    expect([scene.server.requests, readdirSync(scene.directory)]).toEqual([0, []])
  })

  test('also in a directory of parts that is replaced as a whole', async () => {
    const scene = new Scene(await emulate(list), 'parts')
    expect((await scene.attempt({ partRows: 5 })).error).toBeUndefined()
    const whole = readdirSync(scene.path)
    const before = scene.server.requests
    for (const given of [
      { manifest: join(scene.path, 'm.json') },
      { manifest: join(scene.path, '_m.json') },
      { manifest: join(scene.directory, '_parts.partial/m.json') },
      { workDir: scene.path },
    ]) {
      const { error } = await scene.attempt({ partRows: 7, overwrite: true, ...given })
      expect(error).toMatchObject({ code: 'ERR_OPTION_INVALID', exitCode: 2 })
    }
    expect([scene.server.requests, readdirSync(scene.path)]).toEqual([before, whole])
    expect(readdirSync(scene.directory).sort()).toEqual(['_parts.manifest.json', 'parts'])
  })
})

test('a runtime that refuses to flush completes the export and says what that means', async () => {
  // as Node.js's permission model does, whose errors have no syscall
  const denied = Object.assign(new Error('fsync API is disabled when Permission Model is enabled.'), {
    code: 'ERR_ACCESS_DENIED',
  })
  const unflushed = (file: OpenFile): OpenFile =>
    new Proxy(file, {
      get(of, name) {
        if (name === 'sync') return async () => Promise.reject(denied)
        const value: unknown = Reflect.get(of, name)
        return typeof value === 'function' ? value.bind(of) : value
      },
    })
  const files: FileSystem = { ...systemFiles, open: async (...given) => unflushed(await systemFiles.open(...given)) }
  const scene = await Scene.open()
  const attempt = await scene.attempt({ destination: fileDestination(scene.path, { files }) })
  scene.expectWhole(attempt)
  expect(attempt.report!.warnings).toMatchObject([{ code: 'not-flushed', message: expect.stringContaining('fsync') }])
  expect(readManifest(scene.path).warnings).toEqual([])
})

test('a place that the runtime does not allow is exit 7, and not a bug', async () => {
  const denied = Object.assign(
    new Error('Access to this API has been restricted. Use --allow-fs-write to manage permissions.'),
    {
      code: 'ERR_ACCESS_DENIED',
      permission: 'FileSystemWrite',
    },
  )
  const scene = await Scene.open()
  const files: FileSystem = { ...systemFiles, open: async () => Promise.reject(denied) }
  const { error } = await scene.attempt({ destination: fileDestination(scene.path, { files }) })
  expect(error).toMatchObject({
    code: 'ERR_OUTPUT_ACCESS',
    exitCode: 7,
    message: expect.stringContaining('--allow-fs-write'),
  })
  expect(scene.server.requests).toBe(0)
})
