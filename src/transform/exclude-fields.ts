// Records without the named fields: the edit that most exports make.

import { type EditFieldsOptions, editFieldsStage } from './edit-fields.js'
import type { FieldStage } from './member-locator.js'

/**
 * A stage that removes fields, by the rules of `editFieldsStage`. A path is dotted (`parseFieldPath`); a segment that
 * meets an array goes into each of its elements, so `emails.type` removes `type` from every email.
 * @throws ConfigError ERR_OPTION_INVALID for a malformed path
 */
export function excludeFieldsStage(
  paths: readonly string[],
  options: Pick<EditFieldsOptions, 'reuse'> = {},
): FieldStage {
  return editFieldsStage({ exclude: paths }, options)
}
