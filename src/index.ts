// The public surface: named re-exports only.
export { ExportError } from './errors.js'
