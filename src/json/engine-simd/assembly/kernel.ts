// What the kernel does for its driver, kernel.ts one folder up: every export of the module.

export { addName, beginNames, exclude, lastEvent, locate, select } from './fields'
export { begin, scanElements, scanElementsWithFields, scanLines, scanLinesWithFields } from './scan'
export { boundsAt, maxNames, maxRecords, metAt, nameBytesRoom, resultAt, rowsAt, windowAt } from './memory'
