// `RecordFields` found in the records' text and without the code of the project: the reference that an engine's own
// must equal, and a way to give them to batches of engines that have none.

import type { SlicerFactory } from '../../src/json/slicer.js'
import { RecordBatch, type RecordFields } from '../../src/record.js'

/** The batch with `fields` as an engine would give them. */
export function withFields(batch: RecordBatch): RecordBatch {
  const membersOf = Array.from({ length: batch.count }, (_, index) => ownMembers(batch, index))
  const fields: RecordFields = {
    locate(names) {
      const ranges = new Uint32Array(2 * batch.count * names.length)
      membersOf.forEach((members, index) => {
        for (const { name, start, end } of members) {
          const n = names.indexOf(name)
          if (n >= 0) ranges.set([start, end], 2 * (index * names.length + n))
        }
      })
      return ranges
    },
    exclude: (names) => ({ ...lines((name) => !names.includes(name)), met: metOf(names) }),
    select: (names) => ({ ...lines((name) => names.includes(name)), met: metOf(names) }),
  }
  return new RecordBatch({ ...batch, fields })

  function metOf(names: readonly string[]): Uint8Array {
    return Uint8Array.from(names, (name) =>
      Number(membersOf.some((members) => members.some((own) => own.name === name))),
    )
  }

  function lines(isKept: (name: string) => boolean) {
    const texts = membersOf.map((members, index) => {
      const kept = members.filter(({ name }) => isKept(name))
      return kept.length === members.length
        ? batch.slice(index).toString('latin1')
        : `{${kept.map(({ piece }) => piece).join(',')}}`
    })
    const bounds = new Uint32Array(2 * texts.length)
    let at = 3 // lines need not begin with the buffer
    texts.forEach((text, index) => {
      bounds.set([at, at + text.length], 2 * index)
      at += text.length + 1
    })
    return { bytes: Buffer.from(`...${texts.join('\n')}\n...`, 'latin1'), bounds }
  }
}

/** The members of a record: name, range of the value in the batch's bytes, and all that stands between the member's
 *  separators, in Latin-1. */
function ownMembers(batch: RecordBatch, index: number): { name: string; start: number; end: number; piece: string }[] {
  const offset = batch.start(index)
  const text = batch.slice(index).toString('latin1')
  const members: { name: string; start: number; end: number; piece: string }[] = []
  let depth = 0
  let separator = 0
  let tokens: RegExpExecArray[] = []
  for (const token of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s"{}[\],:]+/g)) {
    const [first] = token[0]
    const isClosing = first === '}' || first === ']'
    if (depth === 1 && (first === ',' || first === '}') && tokens.length > 0) {
      const last = tokens.at(-1)!
      members.push({
        name: JSON.parse(Buffer.from(tokens[0]![0], 'latin1').toString()) as string,
        start: offset + tokens[2]!.index,
        end: offset + last.index + last[0].length,
        piece: text.slice(separator + 1, token.index),
      })
      separator = token.index
      tokens = []
    } else if (depth > 0) tokens.push(token)
    depth += isClosing ? -1 : first === '{' || first === '[' ? 1 : 0
  }
  return members
}

/** The slicers of `factory`, whose batches have fields where they are asked for. */
export function slicersWithFields(factory: SlicerFactory): SlicerFactory {
  return (options) => {
    const slicer = factory(options)
    const given = (batch: RecordBatch): RecordBatch => (options.withFields === true ? withFields(batch) : batch)
    return {
      facts: slicer.facts,
      *push(chunk) {
        for (const batch of slicer.push(chunk)) yield given(batch)
      },
      end: () => slicer.end().map(given),
    }
  }
}
