// What the tests use of sql.js, which comes without types.

declare module 'sql.js' {
  export type SqlValue = string | number | Uint8Array | null
  export class Database {
    run(sql: string, values?: readonly SqlValue[]): void
    exec(sql: string): { readonly columns: readonly string[]; readonly values: readonly SqlValue[][] }[]
    close(): void
  }
  export default function initialise(): Promise<{ readonly Database: typeof Database }>
}
