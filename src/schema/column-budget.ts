// How many columns a schema may have. Each takes memory for as long as an export runs, and a few lines of a schema can
// name more of them than there are atoms: references that lead to references, elements of lists in lists.

import { DataError } from '../errors.js'
import type { Field, FieldType } from './resource.js'

/** Default of the most columns, those inside of structs and lists counted and not the structs and lists themselves. */
export const defaultMaxColumns = 10_000

/** The names on the way to a column stand in a header or a footer: so many characters are allowed for each column on
 *  average, and so many in any case. */
const charactersPerColumn = 200
const leastCharacters = 65_536

/** Counts columns, and ends where there are too many. */
export class ColumnBudget {
  readonly maxColumns: number
  #columns = 0
  #characters = 0

  constructor(maxColumns: number = defaultMaxColumns) {
    this.maxColumns = maxColumns
  }

  /** Counts columns. @param characters of all names on the way to each @throws DataError ERR_LIMIT */
  add(characters: number, columns = 1): void {
    this.#columns += columns
    this.#characters += characters * columns
    if (this.#columns > this.maxColumns) throw tooMany(`more than ${this.maxColumns} columns`)
    const most = Math.max(leastCharacters, charactersPerColumn * this.maxColumns)
    if (this.#characters > most) throw tooMany(`columns whose names have more than ${most} characters in all`)
  }

  /** Counts the columns of a field of `type`, of so many `slots` in each of its lists. @param characters of all names
   *  on the way to it */
  addField(type: FieldType, characters: number, slots = 1, columns = 1): void {
    if (type.kind === 'list') this.addField(type.element, characters, slots, columns * slots)
    else if (type.kind === 'struct') {
      for (const field of type.fields) this.addField(field.type, characters + field.name.length, slots, columns)
    } else this.add(characters, columns)
  }
}

/** Columns of fields, those inside of structs and lists counted. */
export function columnsIn(fields: readonly Field[]): number {
  return fields.reduce((sum, { type }) => sum + columnsOf(type), 0)
}

function columnsOf(type: FieldType): number {
  if (type.kind === 'list') return columnsOf(type.element)
  return type.kind === 'struct' ? columnsIn(type.fields) : 1
}

function tooMany(what: string): DataError {
  return new DataError('ERR_LIMIT', `the schema has ${what}, counting those inside of structs and lists`, {
    hint: 'raise --max-columns, or take a part of it out of the schema, which is then kept as JSON',
  })
}
