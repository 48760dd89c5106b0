// The member of an instant-messaging workspace, as Truto's reference page of `GET /unified/instant-messaging/members`
// declares it: once as a TypeScript type, once as the schema that CSV and Parquet columns come from. A type test holds
// the two together. Truto does not validate records against its published schema (docs, "Creating unified APIs"): other
// types and fields are possible.

import type { JsonValue } from '../record.js'
import type { Field, FieldType, ResourceSchema } from './resource.js'

/** An id with a name: an organization or a workspace. */
export interface NamedReference {
  /** The unique identifier. */
  id?: string | null
  name?: string | null
}

export interface MemberEmail {
  email?: string | null
  /** Whether this is the primary address. */
  is_primary?: boolean | null
  type?: string | null
}

export interface MemberGroup {
  id?: string | null
  name?: string | null
  organization?: NamedReference | null
  type?: string | null
  workspace?: NamedReference | null
}

export interface MemberPhone {
  extension?: string | null
  number?: string | null
  type?: string | null
}

export interface MemberUrl {
  type?: string | null
  url?: string | null
}

/** One member. Only `id` is always there; Microsoft 365 and Teams fill `emails`, `first_name`, `last_name`, `name` and
 *  `type`, Slack adds `avatar`, `bio`, `is_email_verified`, `phones`, `status`, `timezone`, `title`, `updated_at` and
 *  `username`. Date-times are RFC 3339 text. */
export interface Member {
  /** The unique identifier of the member. */
  id: string
  activated_at?: string | null
  avatar?: string | null
  bio?: string | null
  created_at?: string | null
  emails?: MemberEmail[] | null
  first_name?: string | null
  groups?: MemberGroup[] | null
  is_email_verified?: boolean | null
  /** The languages that the member prefers. */
  languages?: string[] | null
  last_active_at?: string | null
  last_login_at?: string | null
  last_name?: string | null
  name?: string | null
  organizations?: NamedReference[] | null
  phones?: MemberPhone[] | null
  /** What the provider sent, unmapped. */
  remote_data?: JsonValue
  /** `active`, `inactive`, `deleted`, `invited`, or the provider's own word where none fits. */
  status?: 'active' | 'inactive' | 'deleted' | 'invited' | (string & {}) | null
  status_changed_at?: string | null
  timezone?: string | null
  title?: string | null
  type?: string | null
  updated_at?: string | null
  urls?: MemberUrl[] | null
  username?: string | null
  workspaces?: NamedReference[] | null
  /** Fields that the reference page does not name. */
  [field: string]:
    | JsonValue
    | MemberEmail[]
    | MemberGroup[]
    | MemberPhone[]
    | MemberUrl[]
    | NamedReference[]
    | undefined
}

const string: FieldType = { kind: 'string' }
const boolean: FieldType = { kind: 'boolean' }
const timestamp: FieldType = { kind: 'timestamp' }
const json: FieldType = { kind: 'json' }
const struct = (fields: readonly Field[]): FieldType => ({ kind: 'struct', fields })
const list = (element: FieldType): FieldType => ({ kind: 'list', element })
const field = (name: string, type: FieldType): Field => ({ name, type })
const namedReference = struct([field('id', string), field('name', string)])

export const memberSchema: ResourceSchema = {
  resource: 'instant-messaging/members',
  version: 1,
  fields: [
    field('id', string),
    field('activated_at', timestamp),
    field('avatar', string),
    field('bio', string),
    field('created_at', timestamp),
    field('emails', list(struct([field('email', string), field('is_primary', boolean), field('type', string)]))),
    field('first_name', string),
    field(
      'groups',
      list(
        struct([
          field('id', string),
          field('name', string),
          field('organization', namedReference),
          field('type', string),
          field('workspace', namedReference),
        ]),
      ),
    ),
    field('is_email_verified', boolean),
    field('languages', list(string)),
    field('last_active_at', timestamp),
    field('last_login_at', timestamp),
    field('last_name', string),
    field('name', string),
    field('organizations', list(namedReference)),
    field('phones', list(struct([field('extension', string), field('number', string), field('type', string)]))),
    field('remote_data', json),
    field('status', string),
    field('status_changed_at', timestamp),
    field('timezone', string),
    field('title', string),
    field('type', string),
    field('updated_at', timestamp),
    field('urls', list(struct([field('type', string), field('url', string)]))),
    field('username', string),
    field('workspaces', list(namedReference)),
  ],
}
