#!/usr/bin/env bash
# DuckDB 1.5.6 (@duckdb/node-api 1.5.6-r.1, Node.js 20.20.2, Linux x64): rows of a CSV file vanish without an error where
# a quoted name in its header has a line end of another kind than the lines have.
#
# With `auto_detect = false` and without `new_line`, `read_csv` takes as the line end of the whole file the first one that
# it meets, also where that stands inside of quotes. A name with a line feed in quotes is valid (RFC 4180, 2.6), and in a
# file whose lines end with CRLF it comes first: then the answer is no rows at all. The same with a carriage return in a
# name where lines end with a line feed. Where the other line end stands in the first record instead, and there is no
# header, the file is refused; later in the file it does no harm.
#
# Guessed before it was run: two rows each time, or an error.
# Seen:
#   LF lines, CR in a name             0 rows
#   CRLF lines, LF in a name           0 rows
#   CRLF lines, LF in a name, new_line 2 rows
#   CRLF lines, LF in a later cell     2 rows
#   CRLF lines, LF in the first record, no header: Invalid Input Error
# A way out: name `new_line`, whatever else is detected or not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @duckdb/node-api@1.5.6-r.1
cat > seen.mjs <<'JS'
import { writeFileSync } from 'node:fs'
import { DuckDBInstance } from '@duckdb/node-api'

const connection = await (await DuckDBInstance.create()).connect()
const dialect = `auto_detect = false, delim = ',', quote = '"', escape = '"'`
const columns = `columns = {'id': 'VARCHAR', 'note': 'VARCHAR'}`
async function rows(text, more = 'header = true') {
  writeFileSync('f.csv', text)
  try {
    const { length } = (await connection.runAndReadAll(`SELECT * FROM read_csv('f.csv', ${dialect}, ${columns}, ${more})`)).getRows()
    return `${length} rows`
  } catch (error) {
    return error.message.split(':')[0]
  }
}
const crlf = (name, cell) => `"id","${name}"\r\n"1","${cell}"\r\n"2","b"\r\n`
const seen = [
  await rows('"id","no\rte"\n"1","a"\n"2","b"\n'),
  await rows(crlf('no\nte', 'a')),
  await rows(crlf('no\nte', 'a'), `header = true, new_line = '\\r\\n'`),
  await rows(crlf('note', 'a\nb')),
  await rows('"1","a\nb"\r\n"2","c"\r\n', 'header = false'),
]
console.log(seen.join('; '))
const expected = ['0 rows', '0 rows', '2 rows', '2 rows', 'Invalid Input Error']
if (seen.join() !== expected.join()) {
  console.error(`this has changed; expected ${expected.join('; ')}`)
  process.exit(1)
}
JS
node seen.mjs
