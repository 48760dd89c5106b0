// The engine in plain TypeScript: records that lie whole in the window by a scanner without states, and all else by the
// state machine.

import type { SlicerFactory } from '../slicer.js'
import { ScannerJs } from './scanner.js'
import { type ScanPolicy, SlicerJs } from './slicer.js'
import { HeapWindow } from './window.js'

/** What is left of a step is scanned twice, so that shall be little: the machine, which continues where it stopped, is
 *  half as fast. */
const scanPolicy: ScanPolicy = { minBytes: 128, maxRest: 1 / 16, maxPause: 64 }

/** Slicers over one window.
 *  @param policy when the scanner is called; only tests have reason to give one */
export function jsSlicers(policy = scanPolicy): SlicerFactory {
  const window = new HeapWindow()
  const scanner = new ScannerJs(window)
  return (options) => new SlicerJs(options, window, scanner, policy)
}
