// A file system in memory that counts its calls: what an output costs shows in them, and a hundred thousand files take
// no time.

import { constants } from 'node:fs'
import type { FileStatus, FileSystem, OpenFile } from '../../src/files/file-system.js'

interface Node {
  readonly ino: number
  mode: number
  bytes: Buffer
  /** Its files, where it is a directory. */
  readonly entries: Map<string, Node> | null
}

export interface MemoryFiles extends FileSystem {
  /** How often each call was made. */
  readonly calls: Map<string, number>
}

function systemError(code: string, syscall: string, path: string): Error {
  return Object.assign(new Error(`${code}: in memory, ${syscall} '${path}'`), { code, syscall })
}

/** Paths are absolute and plain; the root is there. */
export function memoryFiles(): MemoryFiles {
  const calls = new Map<string, number>()
  let inodes = 0
  const node = (isDirectory: boolean, mode: number): Node => ({
    ino: ++inodes,
    mode,
    bytes: Buffer.alloc(0),
    entries: isDirectory ? new Map() : null,
  })
  const root = node(true, 0o755)
  const count = (call: string): void => void calls.set(call, (calls.get(call) ?? 0) + 1)
  const parentOf = (path: string, call: string): [Map<string, Node>, string] => {
    const names = path.split('/').filter(Boolean)
    let at = root
    for (const name of names.slice(0, -1)) {
      const next = at.entries?.get(name)
      if (next === undefined) throw systemError('ENOENT', call, path)
      at = next
    }
    if (at.entries === null) throw systemError('ENOTDIR', call, path)
    return [at.entries, names.at(-1) ?? '']
  }
  const find = (path: string, call: string): Node => {
    if (path === '/') return root
    const [entries, name] = parentOf(path, call)
    const found = entries.get(name)
    if (found === undefined) throw systemError('ENOENT', call, path)
    return found
  }
  const statusOf = ({ ino, mode, bytes, entries }: Node): FileStatus => ({
    dev: 1,
    ino,
    mode,
    size: bytes.length,
    uid: process.getuid?.() ?? 0,
    mtimeMs: 0,
    isFile: () => entries === null,
    isDirectory: () => entries !== null,
    isSymbolicLink: () => false,
    isFIFO: () => false,
  })
  const opened = (file: Node): OpenFile => ({
    async write(bytes, offset, length) {
      count('write')
      file.bytes = Buffer.concat([file.bytes, bytes.subarray(offset, offset + length)])
      return { bytesWritten: length }
    },
    async read(bytes, offset, length, position) {
      count('read')
      return { bytesRead: file.bytes.copy(bytes, offset, position, position + length) }
    },
    async truncate(length) {
      count('ftruncate')
      file.bytes = file.bytes.subarray(0, length)
    },
    async sync() {
      count('fsync')
    },
    async stat() {
      count('fstat')
      return statusOf(file)
    },
    async chmod(mode) {
      count('fchmod')
      file.mode = mode
    },
    async close() {
      count('close')
    },
  })
  return {
    calls,
    async stat(path) {
      count('stat')
      return statusOf(find(path, 'stat'))
    },
    async lstat(path) {
      count('lstat')
      return statusOf(find(path, 'lstat'))
    },
    async readlink(path) {
      throw systemError('EINVAL', 'readlink', path)
    },
    async open(path, flags, mode = 0o666) {
      count('open')
      if (path === '/') return opened(root)
      const [entries, name] = parentOf(path, 'open')
      let file = entries.get(name)
      if (file !== undefined && flags & constants.O_EXCL) throw systemError('EEXIST', 'open', path)
      if (file === undefined && !(flags & constants.O_CREAT)) throw systemError('ENOENT', 'open', path)
      if (file === undefined) entries.set(name, (file = node(false, mode)))
      return opened(file)
    },
    async rename(from, to) {
      count('rename')
      const [source, name] = parentOf(from, 'rename')
      const moved = find(from, 'rename')
      const [target, newName] = parentOf(to, 'rename')
      source.delete(name)
      target.set(newName, moved)
    },
    async unlink(path) {
      count('unlink')
      const [entries, name] = parentOf(path, 'unlink')
      if (!entries.delete(name)) throw systemError('ENOENT', 'unlink', path)
    },
    async chmod(path, mode) {
      count('chmod')
      find(path, 'chmod').mode = mode
    },
    async mkdir(path, mode = 0o777) {
      count('mkdir')
      const [entries, name] = parentOf(path, 'mkdir')
      if (entries.has(name)) throw systemError('EEXIST', 'mkdir', path)
      entries.set(name, node(true, mode))
    },
    async readdir(path) {
      count('readdir')
      return [...find(path, 'scandir').entries!.keys()]
    },
    async rmdir(path) {
      count('rmdir')
      const [entries, name] = parentOf(path, 'rmdir')
      entries.delete(name)
    },
  }
}
