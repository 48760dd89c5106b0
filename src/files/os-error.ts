// What the operating system says about a place, as one of our errors.

import { asExportError, type ErrorContext, OutputError, printable, ReaderGone } from '../errors.js'

/** The `code` of a system error (`ENOSPC`), undefined for any other value. What Node.js's permission model refuses
 *  before the system is asked counts as one. */
export function errnoOf(error: unknown): string | undefined {
  const { code, syscall } = (error ?? {}) as { code?: unknown; syscall?: unknown }
  if (typeof code !== 'string') return undefined
  return typeof syscall === 'string' || code === accessDenied ? code : undefined
}

const accessDenied = 'ERR_ACCESS_DENIED'

/** Whether `error` is a system error with one of these codes. */
export function isErrno(error: unknown, ...codes: readonly string[]): boolean {
  return codes.includes(errnoOf(error) ?? '')
}

/**
 * A failure while we were `doing` something with a place. No space, a quota or a size limit is ERR_OUTPUT_SPACE, EIO is
 * ERR_OUTPUT_IO, too many open files ERR_OUTPUT_RESOURCES; any other system error has the code `otherwise`. EPIPE means
 * that the reader has left: ReaderGone. What is no system error is ours, or an InternalError.
 */
export function outputError(
  error: unknown,
  doing: string,
  otherwise: 'ERR_OUTPUT_ACCESS' | 'ERR_OUTPUT_IO' | 'ERR_OUTPUT_RENAME',
  context: ErrorContext = {},
): Error {
  const errno = errnoOf(error)
  if (errno === undefined) return asExportError(error, doing)
  if (errno === 'EPIPE') return new ReaderGone()
  // Node's message is `ENOSPC: no space left on device, write`; the call and its paths are in `doing`
  const reason =
    errno === accessDenied ? (error as Error).message.replace(/\.$/, '') : (error as Error).message.split(', ')[0]!
  return new OutputError(codeOf(errno) ?? otherwise, printable(`${doing}: ${reason}`), { ...context, cause: error })
}

/** Does `act`; where it fails, the output `name` could not be opened. */
export async function opening<T>(name: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    throw outputError(error, `opening ${name}`, 'ERR_OUTPUT_ACCESS')
  }
}

function codeOf(
  errno: string,
): 'ERR_OUTPUT_ACCESS' | 'ERR_OUTPUT_SPACE' | 'ERR_OUTPUT_IO' | 'ERR_OUTPUT_RESOURCES' | undefined {
  switch (errno) {
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
      return 'ERR_OUTPUT_SPACE'
    case accessDenied:
      return 'ERR_OUTPUT_ACCESS'
    case 'EIO':
      return 'ERR_OUTPUT_IO'
    case 'EMFILE':
    case 'ENFILE':
      return 'ERR_OUTPUT_RESOURCES'
    default:
      return undefined
  }
}
