// The columns of records whose fields are edited: what is selected in the order in which it was named, what is redacted
// as text, what is renamed by its new name. They follow from the declared schema and the edits alone.

import { ConfigError, printable } from '../errors.js'
import type { Field, FieldType, ResourceSchema } from '../schema/resource.js'
import { EditNode, type FieldEdits } from './field-edits.js'

/** The schema of the records of `schema` after the edits. A selected field that the schema does not name is JSON of any
 *  kind. A struct or list of structs without a field left is JSON, too, since the empty objects are still there.
 *  @throws ConfigError as `EditNode.of`; ERR_OPTION_INVALID where two fields would have one name */
export function editedSchema(schema: ResourceSchema, edits: FieldEdits): ResourceSchema {
  return { ...schema, fields: editFields(schema.fields, EditNode.of(edits)) }
}

function editFields(fields: readonly Field[], node: EditNode): Field[] {
  const given = node.keepsOthers
    ? fields
    : node.children
        .names()
        .map((name) => fields.find((field) => field.name === name) ?? { name, type: { kind: 'json' } as const })
  const edited = given.flatMap(({ name, type }) => {
    const child = node.children.get(name)
    if (child === undefined) return [{ name, type }]
    return child.isCut ? [] : [{ name: child.newName ?? name, type: editType(type, child) }]
  })
  const names = new Set<string>()
  for (const { name } of edited) {
    if (names.has(name)) {
      throw new ConfigError('ERR_OPTION_INVALID', `two fields would have the name ${printable(name)}`, {
        hint: 'choose another name, or exclude or rename the other field too',
      })
    }
    names.add(name)
  }
  return edited
}

function editType(type: FieldType, node: EditNode): FieldType {
  if (node.redaction !== null) return redactedType(type)
  if (type.kind === 'list') {
    const element = editType(type.element, node)
    return element.kind === 'json' && type.element.kind === 'struct' ? element : { kind: 'list', element }
  }
  // what is no object there is redacted whole
  if (type.kind !== 'struct') return node.insideRedaction === null ? type : redactedType(type)
  const fields = editFields(type.fields, node)
  return fields.length === 0 ? { kind: 'json' } : { kind: 'struct', fields }
}

/** An object is no value to hash or mask, so a struct is left for the error that its first record is. */
function redactedType(type: FieldType): FieldType {
  if (type.kind === 'list') return { kind: 'list', element: redactedType(type.element) }
  return type.kind === 'struct' || type.kind === 'json' ? type : { kind: 'string' }
}
