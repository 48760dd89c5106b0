// The one table of options: types, flags, environment names, defaults, validation, help and the page of options are all
// derived from it. A default has its reason in `doc`.

import { GiB, KiB, MiB, minute, second } from '../bytes/units.js'
import { timestampExcesses, timestampForms, timestampUnits } from '../encode/columns/timestamp.js'
import { codecNames, type FormatShape, formatNames } from '../encode/formats.js'
import { parquetCompressions, parquetJsonTypes, parquetWriterNames } from '../encode/parquet/choices.js'
import type { QueryParameters } from '../http/query.js'
import { engineNames } from '../json/engine-names.js'
import { readerNames } from '../readers/names.js'
import { answerFormats } from '../report.js'
import { integrations } from '../schema/integrations.js'

export type CommandName = 'export' | 'convert' | 'schema' | 'verify' | 'emulator' | 'demo'

/** Headings of the help, in its order. */
export const groups = [
  'Request',
  'Schema',
  'Verification',
  'Emulator',
  'Demo',
  'Output',
  'Interruptions',
  'CSV',
  'Parquet',
  'Columns',
  'Transforms',
  'Parsing and limits',
  'Network',
  'Reporting',
] as const
export type Group = (typeof groups)[number]

/** What a value is. On the command line `bytes` reads `16MiB` and `duration` reads `30s`; in code they are numbers of
 *  bytes and of milliseconds. `list` is comma-separated and repeatable there, `query` a repeatable `key=value`.
 *  `reference` is an id, in code also an object for bracket form; `schema` is a text, in code also an object; `key` is
 *  a text, which stands for its UTF-8, in code also bytes. */
export type OptionKind =
  | 'string'
  | 'enum'
  | 'boolean'
  | 'integer'
  | 'bytes'
  | 'duration'
  | 'list'
  | 'query'
  | 'reference'
  | 'schema'
  | 'key'

export interface OptionEntry {
  readonly kind: OptionKind
  readonly group: Group
  readonly commands: readonly CommandName[]
  /** Long flag with its dashes. Absent where a command takes the value by position. */
  readonly flag?: `--${string}`
  readonly short?: `-${string}`
  /** Commands that take the value by position, not by the flag. */
  readonly positional?: readonly CommandName[]
  /** By position several may stand one after the other: the value is a text, or an array of texts. */
  readonly isVariadic?: true
  /** Word for the value in the help. */
  readonly placeholder?: string
  readonly env?: string
  /** Null where absence means something of its own; `defaultText` then says what. */
  readonly default: string | number | boolean | readonly string[] | null
  readonly defaultText?: string
  readonly values?: readonly string[]
  /** On the command line, what the flag with `no-` stands for. */
  readonly negative?: string
  readonly min?: number
  readonly max?: number
  /** Must be a single character; on the command line `\t` is a tab. */
  readonly isCharacter?: true
  /** Must be an http or https URL; a user and password in it are in no message. */
  readonly isUrl?: true
  /** Of a list: each text on the command line is one element, commas and all. */
  readonly isWhole?: true
  /** The value is in no message. */
  readonly isSecret?: true
  /** On the command line the value is the path of a file that holds it. */
  readonly isFile?: true
  /** Of the command line only: the library has no such option. */
  readonly isCliOnly?: true
  /** What it is, for the help of one screen, which has the options that have this. At most 50 characters. */
  readonly brief?: string
  /** What it does and what follows from it. Plain text, one line. */
  readonly doc: string
}

export type OptionTable = { readonly [name: string]: OptionEntry }

/** What of an export an option shapes: what is asked for; what the row of a format names; how the output stands in
 *  files and frames, and where it is flushed; or nothing that could be seen in its bytes. Two exports that differ in an
 *  option which shapes theirs are two, and neither resumes the other. */
export type Shape = 'request' | FormatShape | 'output' | 'nothing'

/** An option of an export. */
export interface ShapingEntry extends OptionEntry {
  readonly shapes: Shape | readonly Shape[]
  /** What follows from it shapes, and not the value itself: other values may make the same bytes, or it may not be
   *  told. */
  readonly isIndirect?: true
  /** It decides whether there is an output and not what is in it: a manifest tells of it, and no two exports differ in
   *  it. */
  readonly isGuard?: true
}

const both: readonly CommandName[] = ['export', 'convert']
const fetching: readonly CommandName[] = ['export']
const converting: readonly CommandName[] = ['convert']

/** Options of an export, in the order of the help. */
export const exportTable = {
  resource: {
    kind: 'string',
    group: 'Request',
    commands: both,
    shapes: 'request',
    flag: '--resource',
    positional: fetching,
    placeholder: 'MODEL/RESOURCE',
    default: null,
    defaultText: 'required to export; none to convert',
    brief: 'the resource whose columns CSV and Parquet get',
    doc: 'The list to export, such as instant-messaging/members. To convert, it names the declared schema that the columns of CSV and Parquet come from; without it they are id and extra.',
  },
  input: {
    kind: 'string',
    group: 'Request',
    commands: converting,
    shapes: 'nothing',
    positional: converting,
    placeholder: 'FILE',
    default: null,
    isCliOnly: true,
    isVariadic: true,
    doc: 'Saved pages, NDJSON or JSON to read instead of asking Truto, also under gzip or zstd; - is stdin. Several files are read in their order.',
  },
  inputFormat: {
    kind: 'enum',
    group: 'Request',
    commands: converting,
    shapes: 'nothing',
    flag: '--input-format',
    values: ['auto', 'page', 'pages', 'ndjson', 'records', 'keyed'],
    default: 'auto',
    brief: 'what the files hold, where it does not show',
    doc: 'What a file holds: one body of a list; several of them, one after the other; a record on each line; the same, whatever a line looks like; records by their keys, as --key-by writes them. auto goes by the extension and, beyond that, by what the bytes show.',
  },
  account: {
    kind: 'string',
    group: 'Request',
    commands: fetching,
    shapes: 'request',
    flag: '--account',
    short: '-a',
    placeholder: 'ID',
    default: null,
    brief: 'the integrated account',
    doc: 'The integrated account. May be left out where the token is one of a single account.',
  },
  integration: {
    kind: 'enum',
    group: 'Request',
    commands: fetching,
    shapes: 'nothing',
    flag: '--integration',
    values: integrations,
    default: null,
    doc: 'What the account connects to. Not sent: it makes a missing --channel or --workspace an error before the first request.',
  },
  workspace: {
    kind: 'reference',
    group: 'Request',
    commands: fetching,
    shapes: 'request',
    flag: '--workspace',
    placeholder: 'ID',
    default: null,
    brief: 'the workspace (Microsoft 365 and Teams)',
    doc: 'The workspace whose members are listed, sent as workspace[id]. Microsoft 365 and Teams require it.',
  },
  channel: {
    kind: 'reference',
    group: 'Request',
    commands: fetching,
    shapes: 'request',
    flag: '--channel',
    placeholder: 'ID',
    default: null,
    brief: 'the channel (Slack)',
    doc: 'The channel whose members are listed, sent as channel[id]. Slack requires it.',
  },
  query: {
    kind: 'query',
    group: 'Request',
    commands: fetching,
    shapes: 'request',
    flag: '--query',
    short: '-q',
    placeholder: 'KEY=VALUE',
    default: null,
    doc: 'Any other parameter, in bracket form where it nests: remote_query[types]=im. Repeatable. A single -q may hold several, split at each comma that a key= follows.',
  },
  queryRaw: {
    kind: 'string',
    group: 'Request',
    commands: fetching,
    shapes: 'request',
    flag: '--query-raw',
    placeholder: 'STRING',
    default: null,
    doc: 'A query string that is appended as it is, percent-encoding included.',
  },
  responseFormat: {
    kind: 'enum',
    group: 'Request',
    commands: fetching,
    shapes: 'request',
    flag: '--response-format',
    values: ['auto', ...answerFormats],
    default: 'auto',
    doc: 'What truto_response_format asks for. auto asks for stream and, where the answer is not proven to be a unified list, for unified from that page on. Anything else exports exactly what comes.',
  },
  limit: {
    kind: 'integer',
    group: 'Request',
    commands: fetching,
    shapes: 'request',
    flag: '--limit',
    placeholder: 'N',
    default: null,
    defaultText: "the server's own",
    min: 1,
    doc: 'Records in a page, not in the export. Larger pages are fewer requests; providers cap it.',
  },
  cursor: {
    kind: 'string',
    group: 'Request',
    commands: fetching,
    shapes: 'request',
    flag: '--cursor',
    placeholder: 'CURSOR',
    default: null,
    defaultText: 'the beginning',
    doc: 'The next_cursor to begin with. What came before it is not in the output.',
  },
  ignoreLimit: {
    kind: 'boolean',
    group: 'Request',
    commands: fetching,
    shapes: 'request',
    flag: '--ignore-limit',
    default: false,
    doc: 'Sends truto_ignore_limit: the provider is asked without a page size. Slack then answers large workspaces with an error.',
  },
  ignoreRemoteData: {
    kind: 'boolean',
    group: 'Request',
    commands: fetching,
    shapes: 'request',
    flag: '--ignore-remote-data',
    default: false,
    doc: "Leaves out remote_data, the provider's own record: mostly the larger part of the bytes. Asked of the server and done here as well, since a stream may ignore it.",
  },

  format: {
    kind: 'enum',
    group: 'Output',
    commands: both,
    shapes: 'output',
    flag: '--output',
    short: '-o',
    placeholder: 'FORMAT',
    values: formatNames,
    default: null,
    defaultText: 'by the extension of --out, else ndjson',
    brief: 'ndjson, json, csv or parquet; else by --out',
    doc: 'NDJSON keeps the bytes of every record. JSON is one array, or one object under --key-by.',
  },
  out: {
    kind: 'string',
    group: 'Output',
    commands: both,
    shapes: 'nothing',
    flag: '--out',
    placeholder: 'PATH',
    default: '-',
    brief: 'the file to write; stdout unless it is given',
    doc: 'Where to write; - is stdout. A file appears under its name only when it is complete and on disk; until then it is _NAME.partial beside it.',
  },
  surrogates: {
    kind: 'enum',
    group: 'Output',
    commands: both,
    shapes: 'text',
    flag: '--surrogates',
    placeholder: 'HOW',
    values: ['keep', 'replace'],
    default: 'keep',
    doc: 'Half of a surrogate pair (the escape \\ud800) in NDJSON and JSON: kept, since these have the bytes that the server sent, or replaced by U+FFFD, since DuckDB, pyarrow and jq refuse a whole file for one. Counted in either case. CSV and Parquet cannot hold it and always have U+FFFD.',
  },
  overwrite: {
    kind: 'boolean',
    group: 'Output',
    commands: both,
    shapes: 'nothing',
    flag: '--overwrite',
    default: false,
    brief: 'replace a file that exists, at the end',
    doc: 'Replaces an existing file, at the end and as a whole. Without it an existing file is an error before the first request.',
  },
  compress: {
    kind: 'enum',
    group: 'Output',
    commands: both,
    shapes: 'output',
    flag: '--compress',
    values: ['auto', ...codecNames],
    default: 'auto',
    doc: 'auto goes by the extension of --out: .gz is gzip, .zst is zstd, anything else none. zstd needs a Node.js that has it. Parquet compresses inside, see --parquet-compression.',
  },
  digest: {
    kind: 'enum',
    group: 'Output',
    commands: both,
    shapes: 'nothing',
    flag: '--digest',
    values: ['sha256', 'none'],
    default: 'sha256',
    doc: 'Digest of the output bytes for the report. On by default, since it costs little beside the network and proves later that a file is the one exported.',
  },
  manifest: {
    kind: 'string',
    group: 'Output',
    commands: both,
    shapes: 'nothing',
    flag: '--manifest',
    placeholder: 'PATH',
    default: null,
    defaultText: '_NAME.manifest.json beside the output',
    negative: 'none',
    doc: 'Where to put the manifest of a file: records, bytes, digest, schema, options and versions, and no secret. truto-export verify holds the file against it. none, or --no-manifest, leaves it out.',
  },
  workDir: {
    kind: 'string',
    group: 'Output',
    commands: both,
    shapes: 'nothing',
    flag: '--work-dir',
    placeholder: 'DIRECTORY',
    default: null,
    defaultText: 'the directory of --out',
    doc: 'Where the partial file, the checkpoint and the lock are until the output is complete: a directory on the same file system, for an output in a folder that somebody reads meanwhile. Give the same one to resume.',
  },

  resume: {
    kind: 'boolean',
    group: 'Interruptions',
    commands: fetching,
    shapes: 'nothing',
    flag: '--resume',
    default: false,
    doc: 'Only resumes an interrupted export: an error where there is no checkpoint. Without it an export resumes where the checkpoint of the same export is found, and starts where there is none.',
  },
  restart: {
    kind: 'boolean',
    group: 'Interruptions',
    commands: fetching,
    shapes: 'nothing',
    flag: '--restart',
    default: false,
    doc: 'Starts from the beginning: drops the checkpoint and the partial file of an interrupted export.',
  },
  checkpoint: {
    kind: 'boolean',
    group: 'Interruptions',
    commands: fetching,
    shapes: 'nothing',
    flag: '--checkpoint',
    default: true,
    doc: 'An interrupted export to a file leaves _NAME.partial and _NAME.checkpoint beside it, and the same command resumes from there; --no-checkpoint leaves nothing. NDJSON, CSV and JSON, plain or compressed, at any record; Parquet after its last whole row group; parquetjs-lite, stdout and --key-by-duplicate first or error start from the beginning.',
  },
  resumeMaxAgeMs: {
    kind: 'duration',
    group: 'Interruptions',
    commands: fetching,
    shapes: 'nothing',
    flag: '--resume-max-age',
    placeholder: 'TIME',
    default: 6 * 60 * minute,
    min: 0,
    max: 366 * 24 * 60 * minute,
    doc: 'An interrupted export that was saved longer ago is dropped, and the export starts from the beginning: a list changes, and the output would be one of two days. Six hours are less than there are between the runs of two nights.',
  },
  lockMaxAgeMs: {
    kind: 'duration',
    group: 'Interruptions',
    commands: both,
    shapes: 'nothing',
    flag: '--lock-max-age',
    placeholder: 'TIME',
    default: 2 * minute,
    min: 1 * second,
    max: 24 * 60 * minute,
    doc: 'Another export to the same file that gave no sign of life for so long is dead, where its process cannot be looked at from here: it ran in another container or on another machine. It gives one every fifteen seconds.',
  },
  commitBytes: {
    kind: 'bytes',
    group: 'Interruptions',
    commands: both,
    shapes: 'output',
    isIndirect: true,
    flag: '--commit-bytes',
    placeholder: 'SIZE',
    default: null,
    defaultText: '64MiB, under zstd 256MiB',
    min: 1 * KiB,
    max: 1024 * GiB,
    doc: 'Most bytes that a crash costs: of output, plain, or of records read, compressed. Each costs a flush to storage, and under zstd a frame ends: some readers stop after the first.',
  },

  partRows: {
    kind: 'integer',
    group: 'Output',
    commands: both,
    shapes: 'output',
    flag: '--part-rows',
    placeholder: 'N',
    default: null,
    defaultText: 'one file',
    min: 1,
    max: 1_000_000_000,
    doc: 'Makes --out a directory of files, part-00000.csv and so on, each complete in itself with so many records that were read. The directory appears when it is complete.',
  },
  partBytes: {
    kind: 'bytes',
    group: 'Output',
    commands: both,
    shapes: 'output',
    flag: '--part-bytes',
    placeholder: 'SIZE',
    default: null,
    defaultText: 'one file',
    min: 1 * KiB,
    max: 1024 * GiB,
    doc: 'Likewise, a part ends with the record that makes so many bytes of JSON. What is in a part depends on the records alone, so an export that was interrupted has the same parts.',
  },

  csvDelimiter: {
    kind: 'string',
    group: 'CSV',
    commands: both,
    shapes: 'csv',
    flag: '--csv-delimiter',
    placeholder: 'CHARACTER',
    default: ',',
    isCharacter: true,
    doc: 'One character between cells; \\t is a tab.',
  },
  csvQuote: {
    kind: 'string',
    group: 'CSV',
    commands: both,
    shapes: 'csv',
    flag: '--csv-quote',
    placeholder: 'CHARACTER',
    default: '"',
    isCharacter: true,
    doc: 'One character around strings. Null is an empty cell without it, so that null and "" stay apart.',
  },
  csvLineEnd: {
    kind: 'enum',
    group: 'CSV',
    commands: both,
    shapes: 'csv',
    flag: '--csv-line-end',
    values: ['lf', 'crlf'],
    default: 'lf',
    doc: 'RFC 4180 says crlf; lf is the default because every reader takes it and line tools expect it.',
  },
  csvBom: {
    kind: 'boolean',
    group: 'CSV',
    commands: both,
    shapes: 'csv',
    flag: '--csv-bom',
    default: false,
    doc: 'Begins with a byte order mark. Excel needs it to read UTF-8; other readers may take it for a part of the first name.',
  },
  csvHeader: {
    kind: 'boolean',
    group: 'CSV',
    commands: both,
    shapes: 'csv',
    flag: '--csv-header',
    default: true,
    doc: 'The first line has the names of the columns; --no-csv-header leaves it out.',
  },
  csvNested: {
    kind: 'enum',
    group: 'CSV',
    commands: both,
    shapes: 'csv',
    flag: '--csv-nested',
    values: ['json', 'flatten'],
    default: 'json',
    doc: 'Nested values as one column of JSON text, which keeps all of them, or as a column for each leaf, such as emails.0.email.',
  },
  csvFlattenSlots: {
    kind: 'integer',
    group: 'CSV',
    commands: both,
    shapes: 'csv',
    flag: '--csv-flatten-slots',
    placeholder: 'N',
    default: 1,
    min: 1,
    max: 100,
    doc: 'Elements of each list that get columns under --csv-nested flatten. What does not fit is kept in extra.',
  },
  csvFormulas: {
    kind: 'enum',
    group: 'CSV',
    commands: both,
    shapes: 'csv',
    flag: '--csv-formulas',
    values: ['keep', 'escape'],
    default: 'keep',
    doc: "escape puts ' before text that a spreadsheet would run as a formula. Not the default, since it changes data: +49… becomes '+49….",
  },

  parquetWriter: {
    kind: 'enum',
    group: 'Parquet',
    commands: both,
    shapes: 'parquet',
    flag: '--parquet-writer',
    values: parquetWriterNames,
    default: 'builtin',
    doc: 'The code that writes. builtin is our own; the library parquetjs-lite is there to compare and for users that rely on it: many times slower, files a fifth larger, timestamps in milliseconds, no statistics to filter by, no zstd, and nothing to resume from.',
  },
  parquetCompression: {
    kind: 'enum',
    group: 'Parquet',
    commands: both,
    shapes: 'parquet',
    flag: '--parquet-compression',
    values: parquetCompressions,
    default: 'snappy',
    doc: 'snappy is fast and read by everything; gzip is smaller and slower; zstd is small and fast, but needs a Node.js that has it and is unknown to old readers.',
  },
  parquetJson: {
    kind: 'enum',
    group: 'Parquet',
    commands: both,
    shapes: 'parquet',
    flag: '--parquet-json',
    values: parquetJsonTypes,
    default: 'string',
    doc: 'Type of columns that hold JSON text, such as remote_data and extra. string is read by everything, and JSON functions take it as well; with json the column has the logical type JSON, which DuckDB shows as JSON, polars as binary, and pyarrow can neither filter nor write to CSV. The footer names the columns either way.',
  },
  parquetBloom: {
    kind: 'boolean',
    group: 'Parquet',
    commands: both,
    shapes: 'parquet',
    flag: '--parquet-bloom',
    default: false,
    doc: 'Adds a Bloom filter of the column id to each row group, so that a search for one id reads only where it is: 10 to 20 bits for each id. Not with parquetjs-lite.',
  },
  rowGroupRows: {
    kind: 'integer',
    group: 'Parquet',
    commands: both,
    shapes: 'parquet',
    flag: '--row-group-rows',
    placeholder: 'N',
    default: 50_000,
    min: 1,
    max: 10_000_000,
    doc: 'Records in a row group. A row group is held until it is written, so more take memory; fewer make larger files and slower scans, and each is an entry in the footer. Beyond 50,000 files hardly get smaller. Fewer where a schema has so many columns, hundreds of them, that their rows would not fit into --max-memory.',
  },
  rowGroupBytes: {
    kind: 'bytes',
    group: 'Parquet',
    commands: both,
    shapes: 'parquet',
    flag: '--row-group-bytes',
    placeholder: 'SIZE',
    default: null,
    defaultText: '32MiB, or an eighth of --max-memory where that is less',
    min: 64 * KiB,
    max: 2 * GiB,
    doc: 'Bytes of JSON as read with which a row group ends before it has its records, so that large records do not make it grow.',
  },
  timestampUnit: {
    kind: 'enum',
    group: 'Parquet',
    commands: both,
    shapes: 'parquet',
    flag: '--timestamp-unit',
    values: timestampUnits,
    default: 'micros',
    doc: 'Unit of timestamp columns. nanos hold the seven digits that Microsoft writes and nine of others, but only the years 1678 to 2261, and older readers do not know them.',
  },
  timestampExcess: {
    kind: 'enum',
    group: 'Parquet',
    commands: both,
    shapes: 'parquet',
    flag: '--timestamp-excess',
    values: timestampExcesses,
    default: 'truncate',
    doc: 'A date-time with more digits than the unit, one of which is not zero: truncate cuts them off and counts the value, extra lets it go the way of --on-type-mismatch.',
  },

  schema: {
    kind: 'schema',
    group: 'Columns',
    commands: both,
    shapes: 'columns',
    isIndirect: true,
    flag: '--schema',
    placeholder: 'FILE',
    default: null,
    defaultText: 'that of the resource, where it is declared',
    isFile: true,
    brief: 'the columns of CSV and Parquet, as JSON Schema',
    doc: 'The columns of CSV and Parquet, as JSON Schema: see truto-export schema, which prints one. In code: its text, the document, or a ResourceSchema.',
  },
  unknownFields: {
    kind: 'enum',
    group: 'Columns',
    commands: both,
    shapes: 'columns',
    flag: '--unknown-fields',
    values: ['extra', 'drop', 'error'],
    default: 'extra',
    doc: 'Fields that the declared schema does not name, in CSV and Parquet: kept as JSON in the column extra, so that nothing is lost; left out and counted; or an error.',
  },
  onTypeMismatch: {
    kind: 'enum',
    group: 'Columns',
    commands: both,
    shapes: 'columns',
    flag: '--on-type-mismatch',
    values: ['extra', 'null', 'error'],
    default: 'extra',
    doc: 'A value that its column cannot hold becomes null there and stays raw in extra; or only null; or is an error. Counted.',
  },
  timestampForms: {
    kind: 'enum',
    group: 'Columns',
    commands: both,
    shapes: 'columns',
    flag: '--timestamp-forms',
    values: timestampForms,
    default: 'any',
    doc: 'What a timestamp column takes beside RFC 3339: any also reads 2024-01-01 00:00:00 (UTC), +0000, and numbers that count seconds or milliseconds since 1970, and counts them; with rfc3339 such a value goes the way of --on-type-mismatch.',
  },
  maxColumns: {
    kind: 'integer',
    group: 'Parsing and limits',
    commands: both,
    shapes: 'nothing',
    flag: '--max-columns',
    placeholder: 'N',
    default: null,
    defaultText: '10000; for Parquet one for each 26KiB of --max-memory where that is less',
    min: 1,
    max: 1_000_000,
    doc: 'Most columns that a schema may have, given, learned or flattened, those inside of structs and lists counted. Each takes memory for as long as an export runs, and references in a schema or --csv-flatten-slots make thousands of them with a line.',
  },
  strict: {
    kind: 'boolean',
    group: 'Columns',
    commands: both,
    shapes: ['columns', 'text'],
    flag: '--strict',
    default: false,
    doc: 'Text that UTF-8 cannot hold (half of a surrogate pair) is an error in every format; without it, it is counted: see --surrogates.',
  },

  select: {
    kind: 'list',
    group: 'Transforms',
    commands: both,
    shapes: 'records',
    flag: '--select',
    placeholder: 'FIELDS',
    default: [],
    defaultText: 'all',
    brief: 'the only fields to keep, such as id,emails.email',
    doc: 'The only fields to keep, separated by commas. A dot goes into objects and the elements of lists: emails.email. A value that is no object there (a text in the place of emails) is left out. Records keep their order; the columns of CSV and Parquet have the order named here.',
  },
  exclude: {
    kind: 'list',
    group: 'Transforms',
    commands: both,
    shapes: 'records',
    flag: '--exclude',
    placeholder: 'FIELDS',
    default: [],
    brief: 'fields to leave out',
    doc: 'Fields to leave out, separated by commas. A dot goes into objects and the elements of lists: emails.type. \\. is a dot of a name, \\, a comma of one.',
  },
  redact: {
    kind: 'list',
    group: 'Transforms',
    commands: both,
    shapes: 'records',
    flag: '--redact',
    placeholder: 'FIELD=HOW',
    default: [],
    brief: 'drop, hash or mask the values of a field',
    doc: "What becomes of the strings, numbers and booleans of a field, also of those in a list: drop leaves the field out, hash puts the HMAC-SHA256 of their text in their place, in hex, and mask three asterisks. Null stays null. An object there is an error. Where an object with the field was expected and a text, number or boolean stands, alone or in a list, that is redacted in the same way and counted. remote_data, the provider's own record, may hold the same values again: --ignore-remote-data leaves it out. Repeatable, after --select and --exclude.",
  },
  redactKey: {
    kind: 'key',
    group: 'Transforms',
    commands: both,
    shapes: 'records',
    isIndirect: true,
    flag: '--redact-key-file',
    placeholder: 'FILE',
    env: 'TRUTO_EXPORT_REDACT_KEY',
    default: null,
    defaultText: 'required to hash',
    isFile: true,
    isSecret: true,
    doc: 'The key of the hashes: the bytes of the file, less one line end (LF or CRLF) at their end; at least 16 bytes, not all of them alike, such as the output of openssl rand -hex 32. The variable holds the key itself, and so does code, as text or bytes. Equal values have equal hashes under the same key, so tables can still be joined: a hash is that of printf %s VALUE | openssl dgst -sha256 -mac HMAC -macopt hexkey:HEX, where HEX is the key in hex.',
  },
  rename: {
    kind: 'list',
    group: 'Transforms',
    commands: both,
    shapes: 'records',
    flag: '--rename',
    placeholder: 'OLD=NEW',
    default: [],
    doc: 'Another name for a field, in its place; a dotted path renames its last part: emails.email=address. Repeatable, done last: all other options know the field by its old name. Two fields of one name are an error. \\= is an equals sign of a name.',
  },
  unmetFields: {
    kind: 'enum',
    group: 'Transforms',
    commands: both,
    shapes: 'records',
    isGuard: true,
    flag: '--unmet-fields',
    placeholder: 'HOW',
    values: ['error', 'warn', 'ignore'],
    default: null,
    defaultText:
      'error for --exclude and --redact, warn for --select and --rename; warn for all where no schema is declared',
    doc: 'A path of --select, --exclude, --redact or --rename that no record has a field at, and that neither the declared schema nor --schema names: an error before anything is published, since what was to be left out may be there under another name; or a warning. A name that is nearly a declared one (emials, Name) is an error before the first request, unless this says warn or ignore. Where nothing is declared the server is asked to leave excluded fields out, and the report names those that no record showed.',
  },
  keyBy: {
    kind: 'string',
    group: 'Transforms',
    commands: both,
    shapes: 'records',
    flag: '--key-by',
    placeholder: 'FIELD',
    default: null,
    brief: 'give each record the value of a field as its key',
    doc: 'Gives each record the value of a field as its key: {"<key>":<record>} per line of NDJSON, one object in JSON, a first column _key in CSV and Parquet. Taken before --select, --exclude and --rename; it cannot be a field that --redact hides, one inside or around it, nor, beside any --redact, the server\'s own key (@key).',
  },
  keyByMissing: {
    kind: 'enum',
    group: 'Transforms',
    commands: both,
    shapes: 'records',
    flag: '--key-by-missing',
    values: ['error', 'skip'],
    default: 'error',
    doc: 'A record without the key is an error, so that none is lost unseen; or it is left out and counted.',
  },
  keyByDuplicate: {
    kind: 'enum',
    group: 'Transforms',
    commands: both,
    shapes: 'records',
    flag: '--key-by-duplicate',
    values: ['keep', 'first', 'error'],
    default: null,
    defaultText: 'keep; error for JSON',
    doc: 'A repeated key: keep costs nothing; first and error remember a hash of every key. Nobody wants an object with a key twice, so JSON has error.',
  },
  maxKeyBytes: {
    kind: 'bytes',
    group: 'Transforms',
    commands: both,
    shapes: 'records',
    isGuard: true,
    flag: '--max-key-bytes',
    placeholder: 'SIZE',
    default: null,
    defaultText: '64MiB, or a quarter of --max-memory where that is less',
    min: 64 * KiB,
    max: 8 * GiB,
    doc: 'Largest table of key hashes for --key-by-duplicate first and error, at 21 to 43 bytes a key; beyond it is an error. 64MiB hold at least 3 million keys. Also that of the id hashes of --check-duplicates, which is no error beyond it.',
  },

  parser: {
    kind: 'enum',
    group: 'Parsing and limits',
    commands: both,
    shapes: 'output',
    isIndirect: true,
    flag: '--parser',
    values: engineNames,
    default: 'simd',
    doc: 'The engine that finds the records. All give the same records. simd is the fastest, and js takes its place where there is no WebAssembly SIMD; the two libraries print the records again, are many times slower and are there to compare.',
  },
  maxDepth: {
    kind: 'integer',
    group: 'Parsing and limits',
    commands: both,
    shapes: 'nothing',
    flag: '--max-depth',
    placeholder: 'N',
    default: 512,
    min: 1,
    max: 1000,
    doc: 'Deepest nesting of a body. Real records have fewer than 10 levels; at some thousands JSON.stringify fails.',
  },
  maxRecordBytes: {
    kind: 'bytes',
    group: 'Parsing and limits',
    commands: both,
    shapes: 'nothing',
    flag: '--max-record-bytes',
    placeholder: 'SIZE',
    default: null,
    defaultText: '16MiB, or an eighth of --max-memory (a twelfth for Parquet) where that is less',
    min: 1 * KiB,
    max: 512 * MiB,
    doc: 'Largest record. A longer one is an error instead of a process that runs out of memory. V8 has no string beyond 512MiB.',
  },
  maxCursorBytes: {
    kind: 'bytes',
    group: 'Parsing and limits',
    commands: both,
    shapes: 'nothing',
    flag: '--max-cursor-bytes',
    placeholder: 'SIZE',
    default: 64 * KiB,
    min: 64,
    max: 16 * MiB,
    doc: 'Largest cursor. It travels in a URL, and servers take far less than this.',
  },
  maxDecodedRatio: {
    kind: 'integer',
    group: 'Parsing and limits',
    commands: fetching,
    shapes: 'nothing',
    flag: '--max-decoded-ratio',
    placeholder: 'N',
    default: 200,
    min: 1,
    max: 1_000_000_000,
    doc: 'How many times what was sent a compressed body may unfold to, from its first MiB on. gzip of members is 10 to 1, of one member over and over 170 to 1, of one character over and over, which is what bombs are, 229 to 1,028.',
  },
  maxEmptyPages: {
    kind: 'integer',
    group: 'Parsing and limits',
    commands: fetching,
    shapes: 'nothing',
    flag: '--max-empty-pages',
    placeholder: 'N',
    default: 1000,
    min: 1,
    doc: 'Pages in a row without a record but with a cursor, before the list is taken as endless. Filters of a provider can make long runs of them.',
  },
  maxPages: {
    kind: 'integer',
    group: 'Parsing and limits',
    commands: fetching,
    shapes: 'nothing',
    flag: '--max-pages',
    placeholder: 'N',
    default: null,
    defaultText: 'unlimited',
    min: 1,
    doc: 'More pages are an error, not a shorter output.',
  },
  maxRecords: {
    kind: 'integer',
    group: 'Parsing and limits',
    commands: both,
    shapes: 'nothing',
    flag: '--max-records',
    placeholder: 'N',
    default: null,
    defaultText: 'unlimited',
    min: 0,
    doc: 'More records are an error, not a shorter output.',
  },
  maxBytes: {
    kind: 'bytes',
    group: 'Parsing and limits',
    commands: both,
    shapes: 'nothing',
    flag: '--max-bytes',
    placeholder: 'SIZE',
    default: null,
    defaultText: 'unlimited',
    min: 1,
    doc: 'More bytes of bodies, after decompression, are an error.',
  },
  maxMemoryBytes: {
    kind: 'bytes',
    group: 'Parsing and limits',
    commands: both,
    shapes: 'parquet',
    isIndirect: true,
    flag: '--max-memory',
    placeholder: 'SIZE',
    default: 256 * MiB,
    min: 64 * MiB,
    max: 64 * GiB,
    doc: 'Bound of our buffers, however large pages and lists are; the budgets of records, row groups and keys are derived from it. A record may take a quarter at most. The heap of V8 comes on top; the report has the peak of the process.',
  },

  apiUrl: {
    kind: 'string',
    group: 'Network',
    commands: fetching,
    shapes: 'request',
    isIndirect: true,
    flag: '--api-url',
    placeholder: 'URL',
    env: 'TRUTO_API_BASE_URL',
    default: 'https://api.truto.one',
    isUrl: true,
    doc: 'The only origin that requests, and the token, go to. https, or http to a loopback host.',
  },
  token: {
    kind: 'string',
    group: 'Network',
    commands: fetching,
    shapes: 'nothing',
    flag: '--token',
    placeholder: 'TOKEN',
    env: 'TRUTO_API_TOKEN',
    default: null,
    defaultText: 'required',
    isSecret: true,
    brief: 'the API token; better in the environment',
    doc: 'The API token. The flag works, but other users of the machine can see it in the list of processes, so it warns; the environment or a file is better.',
  },
  tokenFile: {
    kind: 'string',
    group: 'Network',
    commands: fetching,
    shapes: 'nothing',
    flag: '--token-file',
    placeholder: 'FILE',
    default: null,
    isCliOnly: true,
    doc: 'Reads the token from the first line of a file.',
  },
  tokenCommand: {
    kind: 'string',
    group: 'Network',
    commands: fetching,
    shapes: 'nothing',
    flag: '--token-command',
    placeholder: 'COMMAND',
    default: null,
    isCliOnly: true,
    doc: 'Runs a command of the shell and reads the token from the first line of its stdout; once more where the token is refused, since tokens of an account live for minutes. In code: refreshToken.',
  },
  tokenTimeoutMs: {
    kind: 'duration',
    group: 'Network',
    commands: fetching,
    shapes: 'nothing',
    flag: '--token-timeout',
    placeholder: 'TIME',
    default: 2 * minute,
    min: 1,
    max: 24 * 60 * minute,
    doc: 'The longest that --token-command, or refreshToken in code, may take: time for somebody to approve a login, and a fraction of what a token lives. After it the command and all that it started are ended, and so is the export; what was whole is kept.',
  },
  tokenStdin: {
    kind: 'boolean',
    group: 'Network',
    commands: fetching,
    shapes: 'nothing',
    flag: '--token-stdin',
    default: false,
    isCliOnly: true,
    doc: 'Reads the token from the first line of stdin, for password managers.',
  },
  allowInsecureHttp: {
    kind: 'boolean',
    group: 'Network',
    commands: fetching,
    shapes: 'nothing',
    flag: '--allow-insecure-http',
    default: false,
    doc: 'Allows http to hosts beyond this machine: everybody on the way can read the token.',
  },
  ca: {
    kind: 'string',
    group: 'Network',
    commands: fetching,
    shapes: 'nothing',
    flag: '--ca',
    placeholder: 'FILE',
    default: null,
    isFile: true,
    doc: 'Certificates in PEM that are trusted beside what Node.js trusts: its roots, NODE_EXTRA_CA_CERTS, --use-system-ca or --use-openssl-ca. In code: their text. Verification cannot be turned off.',
  },
  connectTimeoutMs: {
    kind: 'duration',
    group: 'Network',
    commands: fetching,
    shapes: 'nothing',
    flag: '--connect-timeout',
    placeholder: 'TIME',
    default: 10 * second,
    min: 1,
    max: 24 * 60 * minute,
    doc: 'To an established connection, TLS included. Ten seconds are three lost packets.',
  },
  headTimeoutMs: {
    kind: 'duration',
    group: 'Network',
    commands: fetching,
    shapes: 'nothing',
    flag: '--head-timeout',
    placeholder: 'TIME',
    default: 60 * second,
    min: 1,
    max: 24 * 60 * minute,
    doc: 'From the request to the head of the answer: Truto asks the provider meanwhile.',
  },
  idleTimeoutMs: {
    kind: 'duration',
    group: 'Network',
    commands: fetching,
    shapes: 'nothing',
    flag: '--idle-timeout',
    placeholder: 'TIME',
    default: 60 * second,
    min: 1,
    max: 24 * 60 * minute,
    doc: 'Between two chunks of a body while we wait for one. A slow reader of our output does not count.',
  },
  pageTimeoutMs: {
    kind: 'duration',
    group: 'Network',
    commands: fetching,
    shapes: 'nothing',
    flag: '--page-timeout',
    placeholder: 'TIME',
    default: 10 * minute,
    min: 1,
    max: 24 * 60 * minute,
    doc: 'Time of waiting for bytes without a record being finished: ends bodies that drip for ever, which no idle timeout sees.',
  },
  accountRequests: {
    kind: 'integer',
    group: 'Network',
    commands: fetching,
    shapes: 'nothing',
    flag: '--account-requests',
    placeholder: 'N',
    default: 50,
    min: 0,
    max: 1_000_000,
    doc: 'Most requests for an account in each --rate-window; 0 is any number. The default is what Truto allows: it refuses the next one and then asks for a wait of 10s. All exports of a process share it; where they differ, each of their limits is kept. Lower it where other programs read the same account.',
  },
  tokenRequests: {
    kind: 'integer',
    group: 'Network',
    commands: fetching,
    shapes: 'nothing',
    flag: '--token-requests',
    placeholder: 'N',
    default: 500,
    min: 0,
    max: 1_000_000,
    doc: 'Most requests with a token in each --rate-window; 0 is any number. The default is what Truto allows.',
  },
  rateWindowMs: {
    kind: 'duration',
    group: 'Network',
    commands: fetching,
    shapes: 'nothing',
    flag: '--rate-window',
    placeholder: 'TIME',
    default: 10 * second,
    min: 1,
    max: 60 * minute,
    doc: 'What --account-requests and --token-requests count in. No window of this length, wherever it begins, has more.',
  },
  maxWaitMs: {
    kind: 'duration',
    group: 'Network',
    commands: fetching,
    shapes: 'nothing',
    flag: '--max-wait',
    placeholder: 'TIME',
    default: 15 * minute,
    min: 0,
    max: 24 * 60 * minute,
    doc: 'The longest wait for a limit: our own (--account-requests, --token-requests) or one that the server tells of. A longer one ends the export at once, says whose limit it is and when to come back.',
  },
  tries: {
    kind: 'integer',
    group: 'Network',
    commands: fetching,
    shapes: 'nothing',
    flag: '--tries',
    placeholder: 'N',
    default: 6,
    min: 1,
    max: 100,
    doc: 'Tries of one page, the first included. Between six, the default backoff waits up to 16 seconds: long enough for a restart over there.',
  },
  backoffBaseMs: {
    kind: 'duration',
    group: 'Network',
    commands: fetching,
    shapes: 'nothing',
    flag: '--backoff-base',
    placeholder: 'TIME',
    default: 500,
    min: 0,
    max: 60 * minute,
    doc: 'Upper bound of the first wait before a retry. It doubles with every try; the wait itself is random below it.',
  },
  backoffMaxMs: {
    kind: 'duration',
    group: 'Network',
    commands: fetching,
    shapes: 'nothing',
    flag: '--backoff-max',
    placeholder: 'TIME',
    default: 60 * second,
    min: 0,
    max: 24 * 60 * minute,
    doc: 'Upper bound of every wait that we choose ourselves.',
  },
  debugBodies: {
    kind: 'boolean',
    group: 'Network',
    commands: both,
    shapes: 'nothing',
    flag: '--debug-bodies',
    default: false,
    doc: "Shows what may be personal data: the provider's error bodies under --verbose, and in errors the values and the text that they are about. By default no message has a value of a record. Credentials are never shown.",
  },

  checkDuplicates: {
    kind: 'boolean',
    group: 'Reporting',
    commands: both,
    shapes: 'nothing',
    flag: '--check-duplicates',
    default: false,
    doc: 'Counts records whose id came before, as lists that change while they are read have them at the borders of pages. All stay in the output. Exact as long as a hash of every id fits into --max-key-bytes; beyond it, and after an interruption, the report says what was compared.',
  },
  reportJson: {
    kind: 'boolean',
    group: 'Reporting',
    commands: both,
    shapes: 'nothing',
    flag: '--json',
    default: false,
    isCliOnly: true,
    brief: 'print the report as one line of JSON',
    doc: 'Prints the report as one line of JSON: on stdout where --out is a file, else on stderr. Of an export that fails it has code, position, the files that are left, and the command that resumes it.',
  },
  logFormat: {
    kind: 'enum',
    group: 'Reporting',
    commands: both,
    shapes: 'nothing',
    flag: '--log',
    placeholder: 'FORMAT',
    values: ['text', 'json'],
    default: 'text',
    isCliOnly: true,
    doc: 'json makes every line on stderr an object with time, level, event, message and fields: progress, warnings and errors.',
  },
  quiet: {
    kind: 'boolean',
    group: 'Reporting',
    commands: both,
    shapes: 'nothing',
    flag: '--quiet',
    default: false,
    isCliOnly: true,
    doc: 'Nothing on stderr but errors.',
  },
  verbose: {
    kind: 'boolean',
    group: 'Reporting',
    commands: both,
    shapes: 'nothing',
    flag: '--verbose',
    short: '-v',
    default: false,
    isCliOnly: true,
    brief: 'a line for each request, page and retry',
    doc: 'One line for each request, page and retry.',
  },
  debug: {
    kind: 'boolean',
    group: 'Reporting',
    commands: both,
    shapes: 'nothing',
    flag: '--debug',
    default: false,
    isCliOnly: true,
    doc: 'Errors with their stack and causes.',
  },
  progressMode: {
    kind: 'enum',
    group: 'Reporting',
    commands: both,
    shapes: 'nothing',
    flag: '--progress',
    placeholder: 'STYLE',
    values: ['auto', 'tty', 'plain', 'none'],
    default: 'auto',
    isCliOnly: true,
    doc: 'tty keeps one line up to date, plain prints a line every ten seconds. auto is tty on a terminal that can redraw, else plain.',
  },
} as const satisfies { readonly [name: string]: ShapingEntry }

/** Options of `export` that another command has, too. */
function ofCommand<N extends keyof typeof exportTable>(command: CommandName, names: readonly N[]) {
  const entries = names.map((name) => [name, { ...exportTable[name], commands: [command] }])
  return Object.fromEntries(entries) as {
    [K in N]: Omit<(typeof exportTable)[K], 'commands'> & { commands: readonly CommandName[] }
  }
}

/** Options of the command that prints schemas. */
export const schemaTable = {
  subject: {
    kind: 'string',
    group: 'Schema',
    commands: ['schema'],
    positional: ['schema'],
    placeholder: 'SUBJECT',
    default: null,
    isVariadic: true,
    doc: 'A resource, such as instant-messaging/members, or files, such as ./page.json: saved pages, NDJSON or JSON; - is stdin.',
  },
  sampleRecords: {
    kind: 'integer',
    group: 'Schema',
    commands: ['schema'],
    flag: '--sample',
    placeholder: 'N',
    default: null,
    defaultText: '10000; none where the schema of the resource is declared',
    min: 1,
    max: 10_000_000,
    brief: 'learn it from so many records',
    doc: 'Learns the schema from so many records, also where one is declared. What they do not show goes to the column extra later.',
  },
  reader: {
    kind: 'enum',
    group: 'Schema',
    commands: ['schema'],
    flag: '--reader',
    values: readerNames,
    default: null,
    defaultText: 'none: JSON Schema is printed',
    brief: 'print the code that reads a file: duckdb, polars',
    doc: 'Prints the code with which this reader reads a file rightly, every column declared: of a file or a directory of parts by the manifest beside it, else by the file itself; of a resource as it would be exported. Where there is no manifest, the flags that the file was written with say what it is like: --output, --compress, --schema, --csv-delimiter and so on.',
  },
  ...ofCommand('schema', [
    ...(['format', 'compress', 'keyBy', 'schema', 'unknownFields', 'onTypeMismatch', 'timestampUnit'] as const),
    ...(['csvDelimiter', 'csvQuote', 'csvHeader', 'csvNested', 'csvFlattenSlots'] as const),
    ...([
      'inputFormat',
      'account',
      'integration',
      'workspace',
      'channel',
      'query',
      'queryRaw',
      'responseFormat',
      'limit',
    ] as const),
    ...(['parser', 'maxDepth', 'maxRecordBytes', 'maxCursorBytes', 'maxMemoryBytes', 'maxColumns'] as const),
    ...(['apiUrl', 'token', 'tokenFile', 'tokenCommand', 'tokenTimeoutMs', 'tokenStdin'] as const),
    ...(['allowInsecureHttp', 'ca'] as const),
    ...(['connectTimeoutMs', 'headTimeoutMs', 'idleTimeoutMs', 'pageTimeoutMs', 'maxWaitMs', 'tries'] as const),
    ...(['logFormat', 'quiet', 'debug'] as const),
  ]),
} as const satisfies OptionTable

/** Options of the local Truto. */
export const emulatorTable = {
  members: {
    kind: 'integer',
    group: 'Emulator',
    commands: ['emulator'],
    flag: '--members',
    placeholder: 'N',
    default: 1000,
    min: 0,
    max: 10_000_000_000,
    brief: 'members of the workspace',
    doc: 'Members of the workspace. They are made as they are sent, so any number takes no memory.',
  },
  port: {
    kind: 'integer',
    group: 'Emulator',
    commands: ['emulator'],
    flag: '--port',
    placeholder: 'N',
    default: 0,
    defaultText: 'a free one',
    min: 0,
    max: 65_535,
    brief: 'port on 127.0.0.1',
    doc: 'Port on 127.0.0.1.',
  },
  seed: {
    kind: 'integer',
    group: 'Emulator',
    commands: ['emulator'],
    flag: '--seed',
    placeholder: 'N',
    default: 1,
    min: 0,
    brief: 'same seed, same members',
    doc: 'Same seed, same members.',
  },
  integration: {
    kind: 'enum',
    group: 'Emulator',
    commands: ['emulator'],
    flag: '--integration',
    values: integrations,
    default: null,
    defaultText: 'slack; msteams for --framing graph',
    brief: 'what the account connects to',
    doc: 'What the account connects to: it decides the fields, and whether a channel or a workspace is required.',
  },
  accounts: {
    kind: 'list',
    group: 'Emulator',
    commands: ['emulator'],
    flag: '--accounts',
    placeholder: 'N|ID,ID',
    default: ['1'],
    doc: 'How many integrated accounts there are, or their ids. Each has the same members, and limits of its own.',
  },
  parentListSize: {
    kind: 'integer',
    group: 'Emulator',
    commands: ['emulator'],
    flag: '--parents',
    placeholder: 'N',
    default: 3,
    min: 1,
    max: 100_000,
    doc: 'Channels of a Slack account, workspaces of a Microsoft one. The first holds all members, each other half of them.',
  },
  strict: {
    kind: 'boolean',
    group: 'Emulator',
    commands: ['emulator'],
    flag: '--strict',
    default: true,
    doc: 'An unknown channel, workspace or resource is a 404, as at Truto; --no-strict answers with all members.',
  },
  faults: {
    kind: 'list',
    group: 'Emulator',
    commands: ['emulator'],
    flag: '--fault',
    placeholder: 'FAULT',
    isWhole: true,
    default: [],
    brief: 'what goes wrong: page=3,status=503 and others',
    doc: 'What goes wrong, and where: page=3,status=503 · page=2,cut=1000 · page=2,attempt=every,stall · status=429,retry-after=5 · page=4,drip=10,every=500ms · page=2,error-in-body=after. Repeatable. page is a number from 1, by default every page; attempt is the first one unless it says otherwise. What there is: status, cut, stall, drip, redirect, reauth, shift, cursor, error-in-body, garbage, gzip, early-close, content-length, bomb.',
  },
  remoteData: {
    kind: 'boolean',
    group: 'Emulator',
    commands: ['emulator'],
    flag: '--remote-data',
    default: true,
    doc: "Records carry the provider's own record as remote_data, as Truto's do; --no-remote-data leaves it out.",
  },
  framing: {
    kind: 'enum',
    group: 'Emulator',
    commands: ['emulator'],
    flag: '--framing',
    values: ['envelope', 'envelope-cursor-first', 'slack', 'graph', 'array', 'ndjson', 'ignored'],
    default: 'envelope',
    brief: 'how truto_response_format=stream answers',
    doc: 'How truto_response_format=stream answers: what the real one does is not documented.',
  },
  pageSize: {
    kind: 'integer',
    group: 'Emulator',
    commands: ['emulator'],
    flag: '--page-size',
    placeholder: 'N',
    default: 200,
    min: 1,
    max: 10_000_000_000,
    brief: 'records in a page',
    doc: 'Records in a page where the request has no limit.',
  },
  pool: {
    kind: 'integer',
    group: 'Emulator',
    commands: ['emulator'],
    flag: '--pool',
    placeholder: 'N',
    default: 0,
    defaultText: 'all differ',
    min: 0,
    max: 1_000_000,
    doc: 'Number of different members; after them they repeat, which makes the emulator as fast as a file.',
  },
  encoding: {
    kind: 'enum',
    group: 'Emulator',
    commands: ['emulator'],
    flag: '--encoding',
    values: ['identity', 'gzip'],
    default: 'identity',
    doc: 'Compression of bodies, where the request takes it.',
  },
  oddities: {
    kind: 'boolean',
    group: 'Emulator',
    commands: ['emulator'],
    flag: '--oddities',
    default: false,
    brief: 'null, absent and retyped fields',
    doc: 'Some records have null, absent, additional and retyped fields, all of which are legal.',
  },
  rateLimits: {
    kind: 'boolean',
    group: 'Emulator',
    commands: ['emulator'],
    flag: '--rate-limits',
    default: false,
    brief: "Truto's documented limits",
    doc: "Truto's documented limits: 50 requests in 10 seconds for an account, 500 for a token.",
  },
  asJson: {
    kind: 'boolean',
    group: 'Emulator',
    commands: ['emulator'],
    flag: '--json',
    default: false,
    brief: 'print url, token and ids as JSON',
    doc: 'Prints url, token, account and parent (the id of its channel or workspace), and the lists accounts and parents, as one line of JSON instead of a line for a shell.',
  },
  logFormat: {
    kind: 'enum',
    group: 'Emulator',
    commands: ['emulator'],
    flag: '--log',
    placeholder: 'FORMAT',
    values: ['text', 'json'],
    default: 'text',
    doc: 'json makes every line on stderr an object with time, level, event, message and fields.',
  },
} as const satisfies OptionTable

/** Options of the demonstration. */
export const demoTable = {
  members: {
    kind: 'integer',
    group: 'Demo',
    commands: ['demo'],
    flag: '--members',
    placeholder: 'N',
    default: 100_000,
    min: 0,
    max: 10_000_000_000,
    brief: 'members to export',
    doc: 'Members to export.',
  },
  outDir: {
    kind: 'string',
    group: 'Demo',
    commands: ['demo'],
    flag: '--out-dir',
    placeholder: 'DIRECTORY',
    default: 'out',
    brief: 'where the files go',
    doc: 'Where the files go; it is made where it is absent, and files of the same name are replaced.',
  },
} as const satisfies OptionTable

/** Options of holding a file against its manifest. */
export const verifyTable = {
  path: {
    kind: 'string',
    group: 'Verification',
    commands: ['verify'],
    positional: ['verify'],
    placeholder: 'PATH',
    default: null,
    isVariadic: true,
    doc: 'Exported files, or directories: one that was exported in parts, or one whose exports are all held against their manifests, with those in its folders.',
  },
  manifest: {
    kind: 'string',
    group: 'Verification',
    commands: ['verify'],
    flag: '--manifest',
    placeholder: 'FILE',
    default: null,
    defaultText: '_NAME.manifest.json beside it',
    brief: 'its manifest, where it does not stand beside it',
    doc: 'Its manifest, where that does not stand beside it.',
  },
  asJson: {
    kind: 'boolean',
    group: 'Verification',
    commands: ['verify'],
    flag: '--json',
    default: false,
    brief: 'print what was compared as JSON',
    doc: 'Prints what was compared as one line of JSON, whether it matches or not.',
  },
  logFormat: {
    kind: 'enum',
    group: 'Verification',
    commands: ['verify'],
    flag: '--log',
    placeholder: 'FORMAT',
    values: ['text', 'json'],
    default: 'text',
    doc: 'json makes every line on stderr an object with time, level, event, message and fields.',
  },
  debug: {
    kind: 'boolean',
    group: 'Verification',
    commands: ['verify'],
    flag: '--debug',
    default: false,
    brief: 'errors with their stack and causes',
    doc: 'Errors with their stack and causes.',
  },
} as const satisfies OptionTable

/** The table that a command's options are in. */
export const tableOf = {
  export: exportTable,
  convert: exportTable,
  schema: schemaTable,
  verify: verifyTable,
  emulator: emulatorTable,
  demo: demoTable,
} as const satisfies Record<CommandName, OptionTable>

export const commandNames = Object.keys(tableOf) as readonly CommandName[]

type KindValue<E extends OptionEntry> = E['kind'] extends 'enum'
  ? E['values'] extends readonly (infer V)[]
    ? V
    : never
  : E['kind'] extends 'boolean'
    ? boolean
    : E['kind'] extends 'integer' | 'bytes' | 'duration'
      ? number
      : E['kind'] extends 'list'
        ? readonly string[]
        : E['kind'] extends 'query'
          ? QueryParameters
          : E['kind'] extends 'reference'
            ? string | QueryParameters
            : E['kind'] extends 'schema'
              ? string | object
              : E['kind'] extends 'key'
                ? string | Uint8Array
                : string

type TextOrTexts<E extends OptionEntry> = E extends { readonly isVariadic: true }
  ? string | readonly string[]
  : KindValue<E>
type ValueOf<E extends OptionEntry> = E['default'] extends null ? TextOrTexts<E> | null : TextOrTexts<E>

/** The values of a table's options. */
export type Values<T extends OptionTable> = { readonly [N in keyof T]: ValueOf<T[N]> }

type ExportTable = typeof exportTable
type CliOnlyName = {
  [N in keyof ExportTable]: ExportTable[N] extends { readonly isCliOnly: true } ? N : never
}[keyof ExportTable]

type CodeValues = Omit<Values<ExportTable>, CliOnlyName>

/** What one export may be told. The type that editors show, with a docstring for each, is printed from the table:
 *  `GivenOptions` in given-options.ts. */
export type GivenValues = { readonly [N in keyof CodeValues]?: CodeValues[N] | null | undefined }

/** Budgets that `maxMemoryBytes` decides where they are not given: bytes, and columns of Parquet, each of which takes
 *  some. */
export type Budget = 'maxRecordBytes' | 'rowGroupBytes' | 'maxKeyBytes' | 'maxColumns'

/** The options of one export with every default filled in: frozen. `resource` is null only where records are read from
 *  a file or from bytes. */
export type ResolvedOptions = Omit<
  CodeValues,
  'format' | 'compress' | 'commitBytes' | 'keyByDuplicate' | 'query' | Budget
> & {
  readonly [N in Budget]: number
} & {
  readonly format: NonNullable<CodeValues['format']>
  readonly compress: Exclude<CodeValues['compress'], 'auto'>
  readonly commitBytes: number
  readonly keyByDuplicate: NonNullable<CodeValues['keyByDuplicate']>
  readonly query: QueryParameters
}

/** Options that only the command line has. */
export type CliOptions = Pick<Values<ExportTable>, CliOnlyName>
