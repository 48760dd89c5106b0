// The types that `records()` gives its records.

import type { GivenOptions } from '../options/given-options.js'
import type { JsonRecord, JsonValue } from '../record.js'
import type { DeclaredRecords } from '../schema/declared.js'
import type { RunOptions } from './options.js'

/** The options, where a type of records is given. */
export type Told<T, O> = [T] extends [never] ? never : O

/** The type of the records of a resource. */
export type RecordOf<R extends string> = R extends keyof DeclaredRecords ? DeclaredRecords[R] : JsonRecord

/** The fields that a type of records names: those that any record may have beyond them are not among them. */
type KnownName<T> = keyof { [N in keyof T as string extends N ? never : number extends N ? never : N]: T[N] } & string

/** The fields that can be asked for. */
export type NameOf<T> = [KnownName<T>] extends [never] ? string : KnownName<T>

/** Options by which records get fields that nobody declared. */
export type NameGiver =
  | { rename: NonNullable<GivenOptions['rename']> }
  | { transform: NonNullable<RunOptions['transform']> }

/** Names that are not known before it runs. */
export type Unknown<F extends readonly string[]> = string extends F[number] ? F : never

/** What is left of a type of records: of fields that it does not name nothing is known. */
export type Picked<T, K extends string> = Flat<
  Pick<T, K & KnownName<T>> & { [N in Exclude<K, KnownName<T>>]?: JsonValue }
>
type Flat<T> = { [N in keyof T]: T[N] }
