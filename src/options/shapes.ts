// What the options of an export shape, read from the table: whose names they are, and what an encoder is told.

import type { FormatShape } from '../encode/formats.js'
import { exportTable, type ResolvedOptions, type Shape, type ShapingEntry } from './schema.js'

type ExportTable = typeof exportTable
type NameIn<T> = { [N in keyof ExportTable]: ExportTable[N] extends T ? N : never }[keyof ExportTable]

/** Options whose own value shapes nothing, but what follows from it. */
export type IndirectName = NameIn<{ readonly isIndirect: true }>

/** An option that shapes something, by its name in code. */
export interface ShapingOption {
  readonly name: keyof ResolvedOptions
  readonly isIndirect: boolean
  readonly isGuard: boolean
}

/** The options that shape this, in the order of the table. */
export function optionsShaping(shape: Exclude<Shape, 'nothing'>): readonly ShapingOption[] {
  return (Object.entries(exportTable) as [keyof ResolvedOptions, ShapingEntry][])
    .filter(([, { shapes }]) => [shapes].flat().includes(shape))
    .map(([name, { isIndirect = false, isGuard = false }]) => ({ name, isIndirect, isGuard }))
}

/** What encoders and their formats are told by options: all that shapes a format but the records themselves. */
type EncoderShape = Exclude<FormatShape, 'records'>
const encoderShapes: readonly EncoderShape[] = ['text', 'columns', 'csv', 'parquet']
type EncoderName = Exclude<
  NameIn<{ readonly shapes: EncoderShape } | { readonly shapes: readonly EncoderShape[] }>,
  IndirectName
> &
  keyof ResolvedOptions

/** `csvLineEnd` → `lineEnd`: an encoder does not say its own format. */
type OwnName<N extends string> = N extends `csv${infer R}` | `parquet${infer R}` ? Uncapitalize<R> : N

/** The options of encoders, under the names that they have there. */
export type EncoderValues = { readonly [N in EncoderName as OwnName<N>]: ResolvedOptions[N] }

/** What the encoder of any format is told. */
export function encoderOptionsOf(resolved: ResolvedOptions): EncoderValues {
  const names = encoderShapes.flatMap(optionsShaping).flatMap(({ name, isIndirect }) => (isIndirect ? [] : [name]))
  return Object.fromEntries(names.map((name) => [ownName(name), resolved[name]])) as EncoderValues
}

function ownName(name: string): string {
  return name.replace(/^(csv|parquet)(.)/, (_, _format, first: string) => first.toLowerCase())
}
