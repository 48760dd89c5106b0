// A file system that fails on purpose: the n-th call of it, or every write after some bytes.

import { type FileSystem, type OpenFile, systemFiles } from '../../src/files/file-system.js'

export interface FaultyFiles extends FileSystem {
  /** Calls so far, as `open`, `write`, … */
  readonly calls: string[]
  /** Set when the fault was met. */
  readonly hit: string | null
}

export function systemError(code: string, syscall: string): Error {
  return Object.assign(new Error(`${code}: made to fail, ${syscall} '/some/path'`), { code, syscall })
}

/** The system's files, but that call number `failAt`, from 1, fails with `code`, and that a write takes at most
 *  `maxWrite` bytes. With `isCrash` all calls after it fail too, as if the process were gone: what it left is what was
 *  done by then. Where it `flushes` not all, fsync says that it has and does nothing. */
export function faultyFiles({
  failAt = 0,
  code = 'EIO',
  maxWrite = Number.POSITIVE_INFINITY,
  isCrash = false,
  flushes = 'all',
  onCall = () => {},
}: {
  failAt?: number
  code?: string
  maxWrite?: number
  isCrash?: boolean
  flushes?: 'all' | 'directories' | 'nothing'
  onCall?: (count: number) => void
}): FaultyFiles {
  const calls: string[] = []
  let hit: string | null = null
  const step = (call: string): void => {
    calls.push(call)
    onCall(calls.length)
    if (isCrash ? calls.length < failAt || failAt === 0 : calls.length !== failAt) return
    hit ??= call
    throw systemError(code, call)
  }
  const wrap = (file: OpenFile): OpenFile => ({
    async write(bytes, offset, length, position) {
      step('write')
      return file.write(bytes, offset, Math.min(length, maxWrite), position)
    },
    async read(bytes, offset, length, position) {
      step('read')
      return file.read(bytes, offset, length, position)
    },
    async truncate(length) {
      step('ftruncate')
      await file.truncate(length)
    },
    async sync() {
      step('fsync')
      if (flushes === 'nothing') return
      if (flushes === 'directories' && !(await file.stat()).isDirectory()) return
      await file.sync()
    },
    async stat() {
      step('fstat')
      return file.stat()
    },
    async chmod(mode) {
      step('fchmod')
      await file.chmod(mode)
    },
    async close() {
      // like close(2), which gives the descriptor back even where it fails
      await file.close()
      step('close')
    },
  })
  return {
    calls,
    get hit() {
      return hit
    },
    async stat(path) {
      step('stat')
      return systemFiles.stat(path)
    },
    async lstat(path) {
      step('lstat')
      return systemFiles.lstat(path)
    },
    async readlink(path) {
      step('readlink')
      return systemFiles.readlink(path)
    },
    async open(path, flags, mode) {
      step('open')
      return wrap(await systemFiles.open(path, flags, mode))
    },
    async rename(from, to) {
      step('rename')
      await systemFiles.rename(from, to)
    },
    async chmod(path, mode) {
      step('chmod')
      await systemFiles.chmod(path, mode)
    },
    async unlink(path) {
      step('unlink')
      await systemFiles.unlink(path)
    },
    async mkdir(path, mode) {
      step('mkdir')
      await systemFiles.mkdir(path, mode)
    },
    async readdir(path) {
      step('readdir')
      return systemFiles.readdir(path)
    },
    async rmdir(path) {
      step('rmdir')
      await systemFiles.rmdir(path)
    },
  }
}
