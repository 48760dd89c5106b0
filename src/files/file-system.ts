// The few calls of the file system that an output needs, as an interface: tests make the n-th of them fail.

import * as fs from 'node:fs/promises'

export interface FileStatus {
  readonly dev: number
  readonly ino: number
  /** Type and permission bits, as stat(2) gives them. */
  readonly mode: number
  readonly size: number
  /** Its owner; 0 where the platform has none. */
  readonly uid: number
  /** When it was written to last, in ms since 1970 by the clock of where it is stored. */
  readonly mtimeMs: number
  isFile(): boolean
  isDirectory(): boolean
  isSymbolicLink(): boolean
  isFIFO(): boolean
}

/** An open file. Its errors are Node's system errors. */
export interface OpenFile {
  /** May take fewer bytes than it is given. @param position in the file, the one after the last write where it is
   *  absent */
  write(bytes: Uint8Array, offset: number, length: number, position?: number): Promise<{ bytesWritten: number }>
  /** Fills up to `length` bytes of `bytes` from `offset` on, from byte `position` of the file; 0 at its end. */
  read(bytes: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesRead: number }>
  truncate(length: number): Promise<void>
  sync(): Promise<void>
  stat(): Promise<FileStatus>
  chmod(mode: number): Promise<void>
  close(): Promise<void>
}

export interface FileSystem {
  stat(path: string): Promise<FileStatus>
  lstat(path: string): Promise<FileStatus>
  readlink(path: string): Promise<string>
  /** @param flags of open(2), from `fs.constants` */
  open(path: string, flags: number, mode?: number): Promise<OpenFile>
  rename(from: string, to: string): Promise<void>
  unlink(path: string): Promise<void>
  chmod(path: string, mode: number): Promise<void>
  mkdir(path: string, mode?: number): Promise<unknown>
  /** Names of what is in a directory, in no order. */
  readdir(path: string): Promise<string[]>
  rmdir(path: string): Promise<void>
}

/** The file system of this machine. */
export const systemFiles: FileSystem = fs
