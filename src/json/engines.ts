// The choice of the engine that slices a body.

import { jsSlicers } from './engine-js/engine-js.js'
import type { EngineName } from './engine-names.js'
import { simdSlicers } from './engine-simd/engine-simd.js'
import { kernelModule } from './engine-simd/kernel.js'
import type { SlicerFactory } from './slicer.js'

/** The engine that is used where `engine` is asked for: `js` takes the place of `simd` where this runtime has no
 *  WebAssembly SIMD, or has turned out to have no room for its memory. */
export function usedEngine(engine: EngineName): EngineName {
  return engine === 'simd' && kernelModule() === null ? 'js' : engine
}

/** The factory of an engine, or of the one that takes its place. The libraries' engines are loaded only when they are
 *  asked for. */
export async function slicerFactory(engine: EngineName): Promise<SlicerFactory> {
  if (engine === 'stream-json') return (await import('./engine-stream-json.js')).streamJsonSlicers()
  if (engine === 'streamparser') return (await import('./engine-streamparser.js')).streamparserSlicers()
  return (engine === 'simd' ? simdSlicers() : null) ?? jsSlicers()
}
