// A saved page to NDJSON with DuckDB, one thread. Arguments: page, output, size of the page in bytes, and how:
// `read_json` as its documentation reads an array within an object, or `json_extract`, the quickest way to the records'
// own text that we know of.

import { DuckDBInstance } from '@duckdb/node-api'

const [page, out, bytes, how] = process.argv.slice(2) as [string, string, string, 'read_json' | 'json_extract']
const database = await DuckDBInstance.create(':memory:', { threads: '1' })
const connection = await database.connect()
// The object of the envelope must fit; a column of JSON keeps each record as text, which the CSV writer then puts on a
// line of its own.
const options = `format = 'unstructured', maximum_object_size = ${Number(bytes) + 1024}`
const records = {
  read_json: `SELECT unnest(result) AS record FROM read_json('${page}', ${options}, columns = {result: 'JSON[]'})`,
  json_extract: `SELECT unnest(json_extract(json, '$.result[*]')) AS record FROM read_json_objects('${page}', ${options})`,
}
await connection.run(
  `COPY (${records[how]}) TO '${out}' (FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER E'\\x01')`,
)
connection.closeSync()
database.closeSync()
