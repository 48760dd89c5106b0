// What `records()` and the options promise of their types, checked by the compiler (npm run typecheck).

import { expectTypeOf } from 'vitest'
import type { StreamFraming } from '../../src/emulator/options.js'
import type { BigNumbers } from '../../src/encode/big-numbers.js'
import type { OnTypeMismatch, UnknownFields } from '../../src/encode/columns/layout.js'
import type { TimestampUnit } from '../../src/encode/columns/timestamp.js'
import type { NdjsonEscape } from '../../src/encode/separators.js'
import type { CsvOptions, InputFormat, KeyByOptions, Surrogates } from '../../src/index.js'
import {
  type ExportOptions,
  exportRecords,
  type JsonRecord,
  type JsonValue,
  type Member,
  type MemberEmail,
  records,
  trutoSource,
} from '../../src/index.js'
import type { GivenOptions } from '../../src/options/given-options.js'
import type { emulatorTable, exportTable, GivenValues } from '../../src/options/schema.js'

type Records<T> = AsyncGenerator<T, void, undefined>

declare const options: ExportOptions
declare const members: ExportOptions<'instant-messaging/members'>
declare const someNames: string[]
declare const maybeNames: readonly string[] | undefined
declare const someResource: string
declare const eitherResource: 'instant-messaging/members' | 'crm/contacts'
const input = Buffer.alloc(0)
interface User {
  id: string
  age: number
  nick?: string
}

// the type follows the resource
expectTypeOf(records({ resource: 'instant-messaging/members', channel: 'C1' })).toEqualTypeOf<Records<Member>>()
expectTypeOf(records({ resource: 'instant-messaging/members', input })).toEqualTypeOf<Records<Member>>()
expectTypeOf(records(members)).toEqualTypeOf<Records<Member>>()
expectTypeOf(records({ resource: 'crm/contacts' })).toEqualTypeOf<Records<JsonRecord>>()
expectTypeOf(records({ resource: someResource })).toEqualTypeOf<Records<JsonRecord>>()
expectTypeOf(records({ resource: eitherResource })).toEqualTypeOf<Records<Member | JsonRecord>>()
expectTypeOf(records({ input })).toEqualTypeOf<Records<JsonRecord>>()
expectTypeOf(records(options)).toEqualTypeOf<Records<JsonRecord>>()
expectTypeOf(records({ ...members, fields: undefined })).toEqualTypeOf<Records<Member>>()
for await (const contact of records({ resource: 'crm/contacts' })) {
  // @ts-expect-error: a contact is no member, so that its emails may be anything
  contact['emails']?.[0]?.is_primary
}

// or is the one that is given, whatever the resource
expectTypeOf(records<User>(options)).toEqualTypeOf<Records<User>>()
expectTypeOf(records<User>({ resource: 'crm/users' })).toEqualTypeOf<Records<User>>()
expectTypeOf(records<User>({ ...members, fields: undefined })).toEqualTypeOf<Records<User>>()
expectTypeOf(records<JsonRecord>({ input })).toEqualTypeOf<Records<JsonRecord>>()
const users: Records<User> = records({ resource: 'crm/users' })
users.next()

// with fields, it follows the names
for await (const member of records({ ...members, fields: ['id', 'name', 'emails'] })) {
  expectTypeOf(member).toEqualTypeOf<{ id: string; name?: string | null; emails?: MemberEmail[] | null }>()
  // @ts-expect-error: it was not asked for
  member.status
}
for await (const contact of records({ resource: 'crm/contacts', fields: ['id', 'phone'] })) {
  expectTypeOf(contact).toEqualTypeOf<{ id?: JsonValue; phone?: JsonValue }>()
}
const names = ['id', 'title'] as const
expectTypeOf(records({ ...members, fields: names })).toEqualTypeOf<Records<{ id: string; title?: string | null }>>()

// which have to be declared where any are
// @ts-expect-error: a member has no such field
records({ resource: 'instant-messaging/members', fields: ['nme'] })
// @ts-expect-error: one of them is wrong
records({ ...members, fields: ['id', 'email'] })
// @ts-expect-error: nor with an input that holds members
records({ resource: 'instant-messaging/members', input, fields: ['nme'] })
// @ts-expect-error: nor of a list that is known
records({ ...members, fields: ['id', 'nme'] as const })

// but for those that a step gives, of which nothing is known
expectTypeOf(records({ ...members, rename: ['name=label'], fields: ['id', 'label'] })).toEqualTypeOf<
  Records<{ id: string; label?: JsonValue }>
>()
expectTypeOf(records({ ...members, transform: (member) => member, fields: ['id', 'more'] })).toEqualTypeOf<
  Records<{ id: string; more?: JsonValue }>
>()

// names that are not known before it runs: any of them may be absent
expectTypeOf(records({ ...members, fields: someNames })).toEqualTypeOf<Records<Partial<Member>>>()
expectTypeOf(records({ ...options, fields: someNames })).toEqualTypeOf<Records<Partial<JsonRecord>>>()
expectTypeOf(records({ ...members, fields: maybeNames })).toEqualTypeOf<Records<Partial<Member>>>()

for await (const user of records<User, 'id' | 'nick'>({ ...options, fields: ['id', 'nick'] })) {
  expectTypeOf(user).toEqualTypeOf<{ id: string; nick?: string }>()
}
// the names are not inferred where the record's type is given alone
for await (const user of records<User>({ ...options, fields: ['id'] })) {
  expectTypeOf(user).toEqualTypeOf<Partial<User>>()
}

// @ts-expect-error: User has no such field
records<User>({ ...options, fields: ['name'] })
// @ts-expect-error: a name that is not in K
records<User, 'id'>({ ...options, fields: ['id', 'age'] })
// @ts-expect-error: fields is a list
records({ ...options, fields: 'id' })

// a call is of a resource or of an input
// @ts-expect-error: of which list
exportRecords({ account: 'a', out: 'x.ndjson' })
// @ts-expect-error: of which list
records({ account: 'a' })
// @ts-expect-error: of which list
trutoSource({})
// @ts-expect-error: the variable may not be set
exportRecords({ resource: process.env['RESOURCE'] })
exportRecords({ input })
exportRecords({ input, resource: 'crm/contacts' })
exportRecords({ resource: 'crm/contacts' })

// whose list it is, is no question of whether a variable is set
// @ts-expect-error: the variable may not be set
exportRecords({ resource: 'crm/contacts', account: process.env['ACCOUNT'] })
// @ts-expect-error: the variable may not be set
records({ resource: 'instant-messaging/members', channel: process.env['CHANNEL'] })
// @ts-expect-error: the variable may not be set
trutoSource({ resource: 'instant-messaging/members', workspace: process.env['WORKSPACE'] })
exportRecords({ resource: 'crm/contacts', account: process.env['ACCOUNT'] ?? null, token: process.env['TOKEN'] })
exportRecords({ resource: 'crm/contacts', signal: undefined, transform: undefined, limit: undefined })

// what is put together of parts
declare const part: Partial<ExportOptions>
exportRecords({ ...options, ...part })
exportRecords({ ...part, resource: 'crm/contacts' })
expectTypeOf(records({ ...part, resource: 'instant-messaging/members' })).toEqualTypeOf<Records<Member>>()
// @ts-expect-error: an option that there is not
exportRecords({ resource: 'crm/contacts', acount: 'a' })

// the type of the options that is printed with docstrings is that of their table
expectTypeOf<Flat<GivenOptions>>().toEqualTypeOf<GivenValues>()
type Flat<T> = { [N in keyof T]: T[N] }

// the table has the values that the rooms know, no more and no fewer
type Table = typeof exportTable
expectTypeOf<Table['inputFormat']['values'][number]>().toEqualTypeOf<InputFormat>()
expectTypeOf<Table['surrogates']['values'][number]>().toEqualTypeOf<Surrogates>()
expectTypeOf<Table['ndjsonEscape']['values'][number]>().toEqualTypeOf<NdjsonEscape>()
expectTypeOf<Table['bigNumbers']['values'][number]>().toEqualTypeOf<BigNumbers>()
expectTypeOf<Table['unknownFields']['values'][number]>().toEqualTypeOf<UnknownFields>()
expectTypeOf<Table['onTypeMismatch']['values'][number]>().toEqualTypeOf<OnTypeMismatch>()
expectTypeOf<Table['timestampUnit']['values'][number]>().toEqualTypeOf<TimestampUnit>()
expectTypeOf<Table['csvLineEnd']['values'][number]>().toEqualTypeOf<NonNullable<CsvOptions['lineEnd']>>()
expectTypeOf<Table['csvNested']['values'][number]>().toEqualTypeOf<NonNullable<CsvOptions['nested']>>()
expectTypeOf<Table['csvEscape']['values'][number]>().toEqualTypeOf<NonNullable<CsvOptions['escape']>>()
expectTypeOf<Table['csvLineFeeds']['values'][number]>().toEqualTypeOf<NonNullable<CsvOptions['lineFeeds']>>()
expectTypeOf<Table['csvFormulas']['values'][number]>().toEqualTypeOf<NonNullable<CsvOptions['formulas']>>()
expectTypeOf<Table['keyByDuplicate']['values'][number]>().toEqualTypeOf<NonNullable<KeyByOptions['duplicate']>>()
expectTypeOf<Table['keyByMissing']['values'][number]>().toEqualTypeOf<NonNullable<KeyByOptions['missing']>>()
expectTypeOf<(typeof emulatorTable)['framing']['values'][number]>().toEqualTypeOf<StreamFraming>()
