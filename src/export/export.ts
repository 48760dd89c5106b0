// The face of this room: a list to an output, to records, or to a pipeline of the user's own.

export type { ExportOptions } from './options.js'
export { records } from './records.js'
export { exportRecords } from './run.js'
export { trutoSource } from './truto-list.js'
