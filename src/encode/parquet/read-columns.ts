// Which columns a Parquet file of ours has, as its footer lists them (parquet.thrift SchemaElement): `writeSchema`,
// read.

import type { Field, FieldType } from '../../schema/resource.js'
import type { Column } from '../columns/layout.js'
import { parsedFooter, type ReadRange, readFooter } from './read-footer.js'
import { ThriftReader, thriftTypes } from './thrift-reader.js'

export interface ParquetColumns {
  readonly columns: readonly Column[]
  /** Unit of timestamps; null where there are none. */
  readonly timestampUnit: 'millis' | 'micros' | 'nanos' | null
  /** Whether columns of JSON text say that they are that. */
  readonly hasJsonType: boolean
}

interface Element {
  name: string
  type: number | null
  children: number
  isRepeated: boolean
  converted: number | null
  /** Id in the union parquet.thrift LogicalType. */
  logical: number | null
  unit: ParquetColumns['timestampUnit']
}

/** Ids of the fields of parquet.thrift SchemaElement, and of FileMetaData its list. */
const id = { schema: 2, type: 1, repetition: 3, name: 4, children: 5, converted: 6, logical: 10 } as const
const units = { 1: 'millis', 2: 'micros', 3: 'nanos' } as const
const maxDepth = 100

/** @throws DataError ERR_SCHEMA where the file is none of Parquet, or has columns of types that we do not write */
export async function parquetColumns(size: number, read: ReadRange): Promise<ParquetColumns> {
  const footer = await readFooter(size, read)
  return parsedFooter(() => {
    const elements: Element[] = []
    const thrift = new ThriftReader(footer)
    thrift.struct((member, type) => {
      if (member !== id.schema || type !== thriftTypes.list) return thrift.skip(type)
      for (let left = thrift.listLength(); left > 0; left--) elements.push(elementOf(thrift))
    })
    const root = elements[0]
    if (root === undefined) throw new Error('it lists no columns')
    const tree = new Tree(elements)
    const columns = tree.fields(root.children, 0)
    const unit = elements.find((element) => element.unit !== null)?.unit ?? null
    return { columns, timestampUnit: unit, hasJsonType: elements.some(isJson) }
  })
}

function elementOf(thrift: ThriftReader): Element {
  const element: Element = {
    name: '',
    type: null,
    children: 0,
    isRepeated: false,
    converted: null,
    logical: null,
    unit: null,
  }
  thrift.struct((member, type) => {
    if (type === thriftTypes.i32 && member === id.type) element.type = thrift.integer()
    else if (type === thriftTypes.i32 && member === id.repetition) element.isRepeated = thrift.integer() === 2
    else if (type === thriftTypes.binary && member === id.name) element.name = thrift.text()
    else if (type === thriftTypes.i32 && member === id.children) element.children = thrift.integer()
    else if (type === thriftTypes.i32 && member === id.converted) element.converted = thrift.integer()
    else if (type === thriftTypes.struct && member === id.logical) readLogical(thrift, element)
    else thrift.skip(type)
  })
  element.unit ??= element.converted === 9 ? 'millis' : element.converted === 10 ? 'micros' : null
  return element
}

/** A union: one member, a struct. Of a timestamp that has its unit, another union. */
function readLogical(thrift: ThriftReader, element: Element): void {
  thrift.struct((kind, kindType) => {
    element.logical = kind
    if (kind !== 8 || kindType !== thriftTypes.struct) return thrift.skip(kindType)
    thrift.struct((member, type) => {
      if (member !== 2 || type !== thriftTypes.struct) return thrift.skip(type)
      thrift.struct((unit, unitType) => {
        element.unit = units[unit as keyof typeof units] ?? null
        thrift.skip(unitType)
      })
    })
  })
}

function isJson({ logical, converted }: Element): boolean {
  return logical === 12 || converted === 19
}

class Tree {
  readonly #elements: readonly Element[]
  /** The next one, depth first. */
  #at = 1

  constructor(elements: readonly Element[]) {
    this.#elements = elements
  }

  fields(count: number, depth: number): Field[] {
    if (depth > maxDepth) throw new Error('it is nested too deeply')
    return Array.from({ length: Math.min(count, this.#elements.length) }, () => {
      const element = this.#next()
      return { name: element.name, type: this.#typeOf(element, depth) }
    })
  }

  #next(): Element {
    const element = this.#elements[this.#at++]
    if (element === undefined) throw new Error('its list of columns is cut')
    return element
  }

  #typeOf(element: Element, depth: number): FieldType {
    const { children, name, type, logical, converted, unit } = element
    if (logical === 3 || converted === 3) {
      const group = this.#next()
      if (!group.isRepeated || group.children !== 1) throw new Error(`its list ${name} is not of three levels`)
      return { kind: 'list', element: this.fields(1, depth + 2)[0]!.type }
    }
    if (children > 0) return { kind: 'struct', fields: this.fields(children, depth + 1) }
    if (isJson(element)) return { kind: 'json' }
    if (type === 0) return { kind: 'boolean' }
    if (type === 2) return { kind: unit === null ? 'int64' : 'timestamp' }
    if (type === 5) return { kind: 'double' }
    if (type === 6) return { kind: 'string' }
    throw new Error(`its column ${name} has a type that no file of ours has`)
  }
}
