// A schema that user code made, checked before columns are built on it.

import { ConfigError, printable } from '../errors.js'
import { ColumnBudget } from './column-budget.js'
import { isObject, isWellFormed, maxDepth } from './json-schema.js'
import { isScalarKind, type ResourceSchema, scalarKinds } from './resource.js'

/** The schema, if it is one. @throws ConfigError ERR_OPTION_INVALID with the path of what is wrong; DataError ERR_LIMIT
 *  for more columns than `maxColumns` */
export function checkSchema(schema: object, maxColumns?: number): ResourceSchema {
  const { resource, version, fields } = schema as Record<keyof ResourceSchema, unknown>
  if (typeof resource !== 'string') throw invalid('schema.resource', 'is no string')
  if (typeof version !== 'string' && typeof version !== 'number')
    throw invalid('schema.version', 'is no number and no string')
  checkFields(fields, 'schema', 0, 0, new ColumnBudget(maxColumns))
  return schema as ResourceSchema
}

function checkFields(fields: unknown, path: string, depth: number, characters: number, budget: ColumnBudget): void {
  if (!Array.isArray(fields)) throw invalid(`${path}.fields`, 'is no array')
  const names = new Set<string>()
  fields.forEach((field: unknown, index) => {
    const at = `${path}.fields[${index}]`
    if (!isObject(field)) throw invalid(at, 'is no object with a name and a type')
    const { name, type } = field
    if (typeof name !== 'string' || name === '' || !isWellFormed(name))
      throw invalid(`${at}.name`, 'is no name that UTF-8 can write')
    if (names.has(name)) throw invalid(`${at}.name`, `is ${printable(name)} once more`)
    names.add(name)
    checkType(type, `${at}.type`, depth, characters + name.length, budget)
  })
}

function checkType(type: unknown, path: string, depth: number, characters: number, budget: ColumnBudget): void {
  if (depth > maxDepth) throw invalid(path, `is nested deeper than ${maxDepth} levels`)
  if (!isObject(type)) throw invalid(path, 'is no object with a kind')
  const { kind } = type
  if (kind === 'list') checkType(type['element'], `${path}.element`, depth + 1, characters, budget)
  else if (kind === 'struct') {
    checkFields(type['fields'], path, depth + 1, characters, budget)
    if ((type['fields'] as unknown[]).length === 0)
      throw invalid(`${path}.fields`, 'is empty, and a struct has a field')
  } else if (!isScalarKind(kind as string)) {
    throw invalid(`${path}.kind`, `is none of ${[...scalarKinds, 'list', 'struct'].join(', ')}`)
  } else budget.add(characters)
}

function invalid(path: string, why: string): ConfigError {
  return new ConfigError('ERR_OPTION_INVALID', `${path} ${why}`)
}
