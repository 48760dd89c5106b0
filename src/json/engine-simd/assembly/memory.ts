// The kernel's memory, addresses in bytes. Everything is placed by hand: nothing is ever allocated, so nothing can
// creep. The window comes last but for the output, and grows with the memory; where both stand is told by the caller.

/** What a scan tells, five u32: records found, end of the last, whether it stopped, whether their members are known,
 *  whether half of a surrogate pair was met. */
export const resultAt: usize = 1024
/** Vector constants: V8 builds a splat again at each use, but keeps a loaded one in a register. */
export const constantsAt: usize = 1088
/** A byte for each name that `exclude` or `select` was told: 1 where a record has it. */
export const metAt: usize = 2048
/** Bounds of the records of a step, pairs of u32. */
export const boundsAt: usize = 4096
export const maxRecords: u32 = 196608
/** Positions of the structural bytes of the records' own members, u32. */
export const eventsAt: usize = 1576960
export const maxEvents: u32 = 393216
/** The names that `locate` and `exclude` look for: for each u32 address and u32 length. */
export const namesAt: usize = 3153920
export const maxNames: u32 = 2048
/** Their hash table, u16: index + 1, 0 is empty. */
export const tableAt: usize = 3170304
export const tableMask: u32 = 8191
/** Their bytes. */
export const nameBytesAt: usize = 3186688
export const nameBytesRoom: u32 = 98304
/** Rows that `locate` fills, and bounds that `exclude` writes: pairs of u32. */
export const rowsAt: usize = 3284992
export const rowsBytes: u32 = 1572864
/** 64 zero bytes, then the window. */
export const windowAt: usize = 4857920
