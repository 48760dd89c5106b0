// A node of the tree that a schema is: u32 each, written by the driver, which reads from the exports what stands where.

export const nodeKind: usize = 0
/** Definition level where it is not null. */
export const nodeDefinition: usize = 4
/** Repetition level of the elements of a list but the first. */
export const nodeRepetition: usize = 8
/** Its leaves: from the first to one past the last. */
export const nodeLeaf: usize = 12
export const nodeLeafEnd: usize = 16
/** Its fields. */
export const nodeFields: usize = 20
export const nodeFieldsEnd: usize = 24
export const nodeElement: usize = 28
export const nodeBytes: usize = 32
