// Batches are views of a window that the next step overwrites. So a view must be right until then, whatever else runs
// meanwhile, a writer may keep its bytes until its promise resolves, and what a consumer has copied stays.

import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { Destination, DestinationWriter } from '../../src/destination/destination.js'
import { type ExportOptions, exportRecords } from '../../src/export/export.js'
import { engineNames } from '../../src/json/engine-names.js'
import type { RecordBatch } from '../../src/record.js'
import { factories, factoryNames } from './factories.js'
import { Random, runSeed } from './random.js'
import { type RandomPage, randomPage, recordBytes, recordBytesWithout } from './random-pages.js'
import { chunksOf, defaultOptions, keepsBytes, valueIn } from './slicing.js'

const KiB = 1024
const lineFeed = Buffer.from('\n')

/** A destination that looks at the bytes of a write as late as it may: just before the write resolves. Two writes at
 *  once are an error. */
class SlowDestination implements Destination {
  readonly name = 'slow'
  readonly #random: Random
  readonly chunks: Buffer[] = []
  /** The bytes as they were given, which nobody has promised to keep. */
  readonly views: Uint8Array[] = []

  constructor(random: Random) {
    this.#random = random
  }

  async open(): Promise<DestinationWriter> {
    const { chunks, views } = this
    const random = this.#random
    let isBusy = false
    return {
      bytesWritten: 0,
      left: '',
      async write(bytes) {
        if (isBusy) throw new Error('two writes at once')
        isBusy = true
        views.push(bytes)
        for (let ticks = random.below(4); ticks >= 0; ticks--) await setImmediate()
        chunks.push(Buffer.from(bytes))
        isBusy = false
      },
      async commit() {},
      async abort() {},
    }
  }

  text(): string {
    return Buffer.concat(this.chunks).toString()
  }
}

/** Chunks of `body` in one buffer: each is overwritten as soon as the next is asked for. */
async function* reusedChunks(body: Buffer, random: Random): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.alloc(100 * KiB)
  for (let at = 0; at < body.length; ) {
    const length = Math.min(random.between(1, buffer.length), body.length - at)
    buffer.fill('"')
    body.copy(buffer, 0, at, at + length)
    at += length
    yield buffer.subarray(0, length)
  }
}

/** Pages of about one MB in framings that engines read in different ways. */
function pages(random: Random): RandomPage[] {
  return ['envelope', 'keyed', 'ids', 'ndjson'].map((framing) => {
    return randomPage(random, { isValid: true, framing, records: 3000, largeRecords: 1 })
  })
}

/** Lines as values where an engine prints tokens, as they are where it keeps bytes. */
function comparable(name: string, text: string): string {
  return keepsBytes(name) ? text : text.replace(/[^\n]+/g, (line) => JSON.stringify(valueIn(line)))
}

function linesOf(page: RandomPage, names: readonly string[] = []): string {
  return Buffer.concat(page.records.flatMap((_, i) => [recordBytesWithout(page, i, names), lineFeed])).toString()
}

function run(
  page: RandomPage,
  random: Random,
  destination: Destination,
  more: Partial<ExportOptions>,
): Promise<unknown> {
  const inputFormat = page.framing === 'ndjson' ? 'records' : 'page' // a random line may look like a page
  return exportRecords({ input: reusedChunks(page.body, random), inputFormat, destination, format: 'ndjson', ...more })
}

test.each(engineNames)(
  'a slow writer gets the right bytes of %s, whose window goes on only when it has resolved',
  async (parser) => {
    const seed = runSeed()
    const random = new Random(seed)
    const exclude = ['id', 'phones', 'remote_data']
    for (const page of pages(random)) {
      const plain = new SlowDestination(random)
      const without = new SlowDestination(random)
      // two exports at once, which must not share a window
      await Promise.all([run(page, random, plain, { parser }), run(page, random, without, { parser, exclude })])
      const isSame = comparable(parser, plain.text()) === comparable(parser, linesOf(page))
      const isSameWithout = comparable(parser, without.text()) === comparable(parser, linesOf(page, exclude))
      expect({ seed, framing: page.framing, isSame, isSameWithout }).toEqual({
        seed,
        framing: page.framing,
        isSame: true,
        isSameWithout: true,
      })
    }
  },
)

test.each(engineNames.filter(keepsBytes))(
  'what a writer of %s keeps beyond its promise is overwritten: the bytes were views',
  async (parser) => {
    const random = new Random(runSeed())
    // records that all differ, four times as many bytes as a window has: a page of equal ones, or a short one, would
    // hide what is written over it
    const records = Array.from({ length: 20_000 }, (_, i) => `{"id":${i},"name":"${'x'.repeat(40)}"}`)
    const destination = new SlowDestination(random)
    const input = reusedChunks(Buffer.from(`[${records.join(',')}]`), random)
    await exportRecords({ input, inputFormat: 'page', destination, format: 'ndjson', parser })
    const lines = `${records.join('\n')}\n`
    expect(destination.text() === lines).toBe(true)
    expect(Buffer.concat(destination.views).toString() === lines).toBe(false)
  },
)

test.each(factoryNames)(
  'a view of %s is right until the next step, and a copy of it for good, whatever is sliced meanwhile',
  (name) => {
    const seed = runSeed()
    const random = new Random(seed)
    const other = randomPage(random, { isValid: true, framing: 'array', records: 50 })
    const owned: { page: RandomPage; batch: RecordBatch }[] = []
    for (const page of pages(random)) {
      const slicer = factories[name]!({ ...defaultOptions, isNdjson: page.isNdjson || page.framing === 'ndjson' })
      let taken = 0
      const take = (batch: RecordBatch): void => {
        const copy = batch.own()
        if (taken++ % 8 === 0) {
          // the slicers of other factories have windows of their own
          for (const factory of Object.values(factories)) {
            if (factory === factories[name]) continue
            const meanwhile = factory(defaultOptions)
            for (const _ of meanwhile.push(other.body));
            meanwhile.end()
          }
        }
        for (let i = 0; i < batch.count; i++) {
          if (!batch.slice(i).equals(copy.slice(i)))
            throw new Error(`seed ${seed}: a view changed before the next step`)
        }
        owned.push({ page, batch: copy })
      }
      for (const chunk of chunksOf(page.body, [7000, 64 * KiB, 300, 200 * KiB]))
        for (const batch of slicer.push(chunk)) take(batch)
      for (const batch of slicer.end()) take(batch)
    }
    let records = 0
    for (const { page, batch } of owned) {
      for (let i = 0; i < batch.count; i++) {
        const expected = recordBytes(page, batch.firstRecordIndex + i).toString()
        const isSame = comparable(name, batch.text(i)) === comparable(name, expected)
        if (!isSame) throw new Error(`seed ${seed}: a copy changed, ${batch.text(i)} was ${expected}`)
        if (batch.isLines && batch.bytes[batch.end(i)] !== 0x0a) throw new Error('a copy of lines has lost a line feed')
      }
      records += batch.count
    }
    expect(records).toBe(4 * 3000)
  },
)
