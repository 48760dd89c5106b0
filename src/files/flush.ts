// Bytes to storage, where Node.js lets a program do that: its permission model refuses fsync for want of a path to
// judge it by (Node.js 24 and later).

import type { OpenFile } from './file-system.js'
import { errnoOf } from './os-error.js'

let isRefused = false

/** Flushes to storage what was written to a file, or the names in a directory. @throws the system's error */
export async function flush(file: Pick<OpenFile, 'sync'>): Promise<void> {
  try {
    await file.sync()
  } catch (error) {
    if (errnoOf(error) !== 'ERR_ACCESS_DENIED') throw error
    isRefused = true
  }
}

/** Whether a flush was refused, so that what was written is as durable as the system makes it by itself. */
export function flushWasRefused(): boolean {
  return isRefused
}
