// The resources that are declared: a type of their records and a schema for each. Who declares another adds it to both,
// and the compiler refuses one without the other.

import { type Member, memberSchema } from './member.js'
import { type ResourceSchema, unmappedSchema } from './resource.js'

/** The types of the records of declared resources, by resource. */
export interface DeclaredRecords {
  'instant-messaging/members': Member
}

/** The schemas of declared resources, by resource. */
export const declaredSchemas: { readonly [resource in keyof DeclaredRecords]: ResourceSchema } = {
  'instant-messaging/members': memberSchema,
}

/** The declared schema of `{model}/{resource}`, or the one of an unknown resource. */
export function declaredSchema(resource: string): ResourceSchema {
  return isDeclared(resource) ? declaredSchemas[resource] : unmappedSchema
}

function isDeclared(resource: string): resource is keyof DeclaredRecords {
  return Object.hasOwn(declaredSchemas, resource)
}
