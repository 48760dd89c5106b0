// The public surface: named re-exports only.

export type { Manifest, ManifestSchema, ManifestSource } from './checkpoint/manifest.js'
export {
  type CheckpointStore,
  type MemoryCheckpointStore,
  memoryCheckpoints,
  type OpenCheckpointStore,
} from './checkpoint/store.js'
export type { Clock } from './clock.js'
export { compressed } from './destination/compress.js'
export type {
  ClaimedPlace,
  Destination,
  DestinationWriter,
  Keeps,
  KeptToken,
  ManifestPlace,
  Part,
  PartsAbility,
  PendingCommit,
  PlaceWriter,
  ResumablePlace,
  RewindAbility,
  WriterNeeds,
} from './destination/destination.js'
export { destinationStream } from './destination/destination-stream.js'
export { type FileDestinationOptions, fileDestination } from './destination/file.js'
export { destinationFromUrl } from './destination/from-url.js'
export { type MemoryDestination, type MemoryOptions, memoryDestination } from './destination/memory.js'
export { stdoutDestination } from './destination/stdout.js'
export { type Emulator, startEmulator } from './emulator/emulator.js'
export type { Fault } from './emulator/faults.js'
export { type MemberOptions, memberAt } from './emulator/members.js'
export type { EmulatorOptions } from './emulator/options.js'
export { type CsvOptions, csvEncoder } from './encode/csv.js'
export type { ByteSink, Encoder } from './encode/encoder.js'
export { encoderStream } from './encode/encoder-stream.js'
export type { Format } from './encode/formats.js'
export { jsonEncoder } from './encode/json.js'
export { ndjsonEncoder } from './encode/ndjson.js'
export { type ParquetOptions, parquetEncoder } from './encode/parquet/parquet.js'
export type { SurrogateOptions, Surrogates } from './encode/surrogates.js'
export {
  AuthError,
  ConfigError,
  DataError,
  type ErrorCode,
  type ErrorContext,
  ExportError,
  errorCodes,
  exitCodes,
  InternalError,
  OutputError,
  ReaderGone,
  RequestError,
  StateError,
  UpstreamError,
} from './errors.js'
export { type ExportOptions, exportRecords, records, trutoSource } from './export/export.js'
export { type InferredSchema, type InferSchemaOptions, inferSchema } from './export/infer-schema.js'
export { type BatchStage, type Framing, type JsonRecord, type JsonValue, RecordBatch, type Warning } from './record.js'
export type { ExportEvent, ExportReport, Progress, ResponseFormat } from './report.js'
export type { DeclaredRecords } from './schema/declared.js'
export { type JsonSchema, type SchemaFromJsonOptions, schemaFromJson, schemaToJson } from './schema/json-schema.js'
export type {
  Member,
  MemberEmail,
  MemberGroup,
  MemberPhone,
  MemberUrl,
  NamedReference,
} from './schema/member.js'
export { memberSchema } from './schema/member.js'
export type { Field, FieldType, ResourceSchema } from './schema/resource.js'
export {
  type BodyInput,
  type BodyInputs,
  type BodySourceOptions,
  bodySource,
  type InputFormat,
} from './source/body-source.js'
export type { RecordSource, SourceOutcome } from './source/source.js'
export type { Redaction } from './transform/field-edits.js'
export type { KeyByOptions } from './transform/key-by.js'
export type { RecordFunction } from './transform/map-records.js'
export {
  excludeFields,
  keyBy,
  mapRecords,
  RecordTransform,
  recordTransform,
  redactFields,
  renameFields,
  selectFields,
} from './transform/record-transform.js'
export {
  type Compared,
  exportsIn,
  type FoundExport,
  type Verification,
  type VerifyOptions,
  verifyExport,
} from './verify.js'
export { version } from './version.js'
