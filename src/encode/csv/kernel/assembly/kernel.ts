// What the kernel does for its driver, kernel.ts one folder up: every export of the module.

export * from '../../../columns/kernel/assembly/image'
export { allocate, resultAt } from '../../../columns/kernel/assembly/memory'
export { indexFields } from '../../../columns/kernel/assembly/walk'
export { beginCells } from './cells'
export { shufflesBytes } from './doubled'
export { beginRows, writeRows } from './rows'
