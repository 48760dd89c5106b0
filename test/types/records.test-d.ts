// What `records()` promises of its objects, checked by the compiler (npm run typecheck).

import { expectTypeOf } from 'vitest'
import { type ExportOptions, type Member, type MemberEmail, records } from '../../src/index.js'

declare const options: ExportOptions
declare const someNames: string[]
interface User {
  id: string
  age: number
  nick?: string
}

expectTypeOf(records(options)).toEqualTypeOf<AsyncGenerator<Member, void, undefined>>()
expectTypeOf(records<User>(options)).toEqualTypeOf<AsyncGenerator<User, void, undefined>>()
expectTypeOf(records({ ...options, fields: undefined })).toEqualTypeOf<AsyncGenerator<Member, void, undefined>>()

for await (const member of records({ ...options, fields: ['id', 'name', 'emails'] })) {
  expectTypeOf(member).toEqualTypeOf<{ id: string; name?: string | null; emails?: MemberEmail[] | null }>()
  // @ts-expect-error: it was not asked for
  member.status
}

// names that are not known before it runs: any of them may be absent
expectTypeOf(records({ ...options, fields: someNames })).toEqualTypeOf<
  AsyncGenerator<Pick<Member, string>, void, undefined>
>()

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
