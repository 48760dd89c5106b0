// A file system of its own whose power can be cut: an image in a file, mounted on a loop device, shut down so that all
// that is not on the device is lost.

import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, existsSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

export type FileSystemName = 'xfs' | 'ext4'

/** mkfs.xfs makes none below 300 MB. */
const imageBytes = { xfs: 320 * 1024 * 1024, ext4: 32 * 1024 * 1024 }

export interface Disk {
  /** Where it is mounted. */
  readonly path: string
  /** Everything fails from now on, and what has not reached the device is lost. */
  cutPower(): void
  /** Mounts it again, as after a restart. No file on it may be open. */
  restart(): void
}

/** Why there can be no such disk here; null where there can. */
export function obstacleToDisks(name: FileSystemName): string | null {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'mounting needs root on Linux'
  for (const program of [`mkfs.${name}`, 'xfs_io', 'mount'])
    if (spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0) return `there is no ${program} here (xfsprogs)`
  if (spawnSync('losetup', ['--find']).status !== 0) return 'there is no loop device here'
  return null
}

/** A new, empty disk that is gone after the test. */
export function makeDisk(name: FileSystemName): Disk {
  // in memory where that can be: flushing such an image costs nothing, and a shutdown loses nothing of it
  const directory = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'truto-export-disk-'))
  const image = join(directory, 'image')
  const path = join(directory, 'disk')
  const file = openSync(image, 'w')
  ftruncateSync(file, imageBytes[name])
  closeSync(file)
  mkdirSync(path)
  run(`mkfs.${name}`, '-q', image)
  run('mount', '-o', 'loop', image, path)
  onTestFinished(() => {
    spawnSync('umount', ['--lazy', path])
    rmSync(directory, { recursive: true, force: true })
  })
  return {
    path,
    cutPower: () => run('xfs_io', '-x', '-c', 'shutdown', path),
    restart() {
      run('umount', path)
      run('mount', '-o', 'loop', image, path)
    },
  }
}

function run(program: string, ...args: string[]): void {
  execFileSync(program, args, { stdio: ['ignore', 'ignore', 'pipe'] })
}
