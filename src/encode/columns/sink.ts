// What takes the values of leaves one by one. Values come record by record, within a record in the order of the leaves,
// and of a leaf in their own.

/** Each value and each null comes with its repetition level; the definition level of a value is the greatest of its
 *  leaf. */
export interface LeafSink {
  addNull(leaf: number, repetition: number, definition: number): void
  /** @param text well-formed Unicode */
  addText(leaf: number, repetition: number, text: string): void
  addBoolean(leaf: number, repetition: number, value: boolean): void
  /** For timestamps too. */
  addInt64(leaf: number, repetition: number, value: bigint): void
  addDouble(leaf: number, repetition: number, value: number): void
  /** Ends a record, in which each leaf had at least one value or null. */
  endRecord(): void
}
