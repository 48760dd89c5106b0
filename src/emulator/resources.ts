// Unified resources: which there are, what their methods accept, and which records a list of them means.

import type { JsonRecord } from '../record.js'
import type { Integration } from '../schema/integrations.js'
import { memberSchema } from '../schema/member.js'
import { missingParameters, remoteError, trutoError } from './api-errors.js'
import { idOf } from './query.js'
import { parentIdAt, parentWindow, type Window } from './records.js'
import { type ApiRequest, type ApiState, Refusal } from './request.js'

/** What a method accepts and gives. */
export function meta(resource: string, integration: Integration): JsonRecord {
  const parent = requiredParent(resource, integration)
  const isMember = resource === memberSchema.resource
  const properties = isMember ? memberSchema.fields.map(({ name, type }) => [name, { type: type.kind }]) : []
  return {
    resource,
    method: 'list',
    integration,
    schema: { type: 'object', required: ['id'], properties: Object.fromEntries(properties) as JsonRecord },
    query_schema: {
      type: 'object',
      required: parent ? [parent] : [],
      properties: parent ? { [parent]: { type: 'object', required: ['id'] } } : {},
    },
    response_mapping: 'response.{ "id": id }',
    query: {},
  }
}

/** The parameter that an integration requires (reference pages of members and channels). */
export function requiredParent(resource: string, integration: Integration): 'channel' | 'workspace' | undefined {
  if (resource === 'instant-messaging/members') return integration === 'slack' ? 'channel' : 'workspace'
  return resource === 'instant-messaging/channels' && integration !== 'slack' ? 'workspace' : undefined
}

/** Lists that the emulated account has. */
const knownResources: readonly string[] = [
  memberSchema.resource,
  'instant-messaging/channels',
  'instant-messaging/workspaces',
]

/** @throws Refusal */
export function checkResource(resource: string, { settings }: ApiState): void {
  if (!settings.strictResources || knownResources.includes(resource)) return
  throw new Refusal(404, trutoError(404, `The emulator has no ${resource}; it has ${knownResources.join(', ')}.`))
}

/** Which records a list request means. @throws Refusal */
export function windowOf(request: ApiRequest, resource: string, integration: Integration, state: ApiState): Window {
  const { members, member, parents, requireParents, strictParents } = state.settings
  if (resource === 'instant-messaging/workspaces') {
    // Workspaces are supported for Microsoft 365 and Teams only (their reference page).
    if (integration === 'slack') throw new Refusal(404, trutoError(404, 'workspaces is not supported by slack.'))
    return { start: 0, count: parents }
  }
  const name = requiredParent(resource, integration)
  const id = name && idOf(request.query[name])
  if (name && !id && requireParents) throw new Refusal(400, missingParameters([name]))
  if (resource === 'instant-messaging/channels') return { start: 0, count: parents }
  if (!id) return { start: 0, count: members }
  for (let index = 0; index < parents; index++) {
    if (id === parentIdAt(index, member.seed, integration)) return parentWindow(index, parents, members)
  }
  if (!strictParents) return { start: 0, count: members }
  throw new Refusal(
    404,
    integration === 'slack'
      ? remoteError(404, 'channel_not_found', { ok: false, error: 'channel_not_found' })
      : remoteError(404, 'No team found with the given id.', {
          error: { code: 'NotFound', message: 'No team found.' },
        }),
  )
}
