// The stages over what the engines that keep the server's bytes really give: where `simd` knows the members, the result
// is that of the walk over the batches of `js`.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ExportError } from '../../src/errors.js'
import { slicerFactory } from '../../src/json/engines.js'
import type { SlicerFactory } from '../../src/json/slicer.js'
import type { RecordBatch } from '../../src/record.js'
import { editFieldsStage } from '../../src/transform/edit-fields.js'
import { excludeFieldsStage } from '../../src/transform/exclude-fields.js'
import type { FieldEdits } from '../../src/transform/field-edits.js'
import { keyByStage } from '../../src/transform/key-by.js'
import { projectedRecords } from '../../src/transform/record-reader.js'
import { documents, type Node, names, numRuns, paths, print } from './records.js'

const limits = { page: 1, maxDepth: 512, maxRecordBytes: 1 << 20, maxCursorBytes: 1 << 16 }
const js = await slicerFactory('js')
const simd = await slicerFactory('simd')

const probe = ['a']

/** The same without members that are spelled with an escape, which `simd` leaves to the walk. */
function plain(node: Node): Node {
  if (node.kind === 'array') return { ...node, elements: node.elements.map(plain) }
  if (node.kind === 'scalar') return node
  const members = node.members.filter(({ name }) => !JSON.stringify(name).includes('\\'))
  return { ...node, members: members.map(({ name, value }) => ({ name, isEscaped: false, value: plain(value) })) }
}

/** Everything that the stages give, record after record. */
interface Results {
  keys: string[]
  projected: string[]
  left: string[]
  edited: string[]
}
const escaped = (path: readonly string[]): string => path.map((name) => name.replace(/[\\.]/g, '\\$&')).join('.')

test('any exclusion, selection, key and projection give the same with both engines', () => {
  let answered = 0
  const run = (
    slicers: SlicerFactory,
    chunks: readonly Buffer[],
    { paths, key, fields, edits }: { paths: string[]; key: string; fields: string[]; edits: FieldEdits },
  ): Results => {
    const keyed = keyByStage({ field: key, missing: 'skip' })
    const exclude = excludeFieldsStage(paths, { reuse: true })
    const edit = editFieldsStage(edits, { reuse: true })
    const reader = projectedRecords(fields)
    const results: Results = { keys: [], projected: [], left: [], edited: [] }
    let [hasFailed, hasEditFailed] = [false, false]
    const take = (batch: RecordBatch): void => {
      if (batch.fields?.locate(probe)) answered++
      try {
        if (!hasFailed) results.keys.push(...keyed.apply(batch).keys!)
      } catch (error) {
        hasFailed = true
        results.keys = [(error as ExportError).toLine()] // the keys before it depend on where batches end
      }
      reader.begin(batch)
      for (let index = 0; index < batch.count; index++) results.projected.push(JSON.stringify(reader.read(index)))
      const out = exclude.apply(batch)
      for (let index = 0; index < out.count; index++) results.left.push(out.text(index))
      try {
        const edited = edit.apply(batch)
        if (!hasEditFailed) for (let i = 0; i < edited.count; i++) results.edited.push(edited.text(i))
      } catch {
        hasEditFailed = true
        results.edited = []
      }
    }
    const slicer = slicers({ ...limits, withFields: true })
    for (const chunk of chunks) for (const batch of slicer.push(chunk)) take(batch)
    for (const batch of slicer.end()) take(batch)
    return results
  }
  fc.assert(
    fc.property(
      fc.array(fc.oneof({ weight: 1, arbitrary: documents }, { weight: 20, arbitrary: documents.map(plain) }), {
        minLength: 1,
        maxLength: 8,
      }),
      fc.record({
        paths: paths.map((all) => all.map(escaped)),
        key: names.map((name) => escaped([name])),
        fields: fc.array(names, { maxLength: 4 }),
        edits: fc.record({
          select: paths.map((all) => all.map(escaped)),
          redact: names.map((name) => [[escaped([name]), 'mask'] as const]),
          rename: names.map((name) => [[escaped([name]), 'new'] as const]),
        }),
      }),
      fc.integer({ min: 1, max: 5000 }),
      (records, wanted, chunkBytes) => {
        const texts = Array.from({ length: 30 }, (_, index) => print(records[index % records.length]!))
        const page = Buffer.from(`{"result" : [${texts.join(' , ')} ],"next_cursor":null}`)
        const chunks = Array.from({ length: Math.ceil(page.length / chunkBytes) }, (_, index) =>
          page.subarray(index * chunkBytes, (index + 1) * chunkBytes),
        )
        expect(run(simd, chunks, wanted)).toEqual(run(js, [page], wanted))
      },
    ),
    { numRuns: numRuns(300) },
  )
  expect(answered).toBeGreaterThan(0)
})
