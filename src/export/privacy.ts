// The one place where what an export says leaves it: events, reports, manifests, checkpoints and errors pass through
// here, over their whole text, and what is secret stays behind. What records hold is in none of them, but for errors
// where the user wants to see it; the records themselves are never touched.

import type { ExportState } from '../checkpoint/checkpoint.js'
import { Redactor } from '../http/redact.js'
import type { ExportEvent } from '../report.js'

export class Privacy {
  /** Knows what is secret here. Whoever learns of more adds it. */
  readonly redactor: Redactor
  readonly #showsData: boolean
  /** Those of the API, the one in use last. */
  readonly #tokens: string[] = []

  constructor({ token, debugBodies }: { token: string | null; debugBodies: boolean }) {
    this.redactor = new Redactor()
    this.#showsData = debugBodies
    if (token !== null) this.useToken(token)
  }

  useToken(token: string): void {
    this.redactor.add(token)
    this.#tokens.push(token)
  }

  /** What is told to a listener. */
  events(listener: ((event: ExportEvent) => void) | undefined): ((event: ExportEvent) => void) | undefined {
    if (listener === undefined) return undefined
    return (event) => {
      if (event.kind === 'retry') this.failure(event.error)
      // a detail is the client's, which has this redactor
      const isClean = event.kind === 'retry' || event.kind === 'detail'
      listener(isClean ? event : this.redactor.value(event))
    }
  }

  /** The error itself, fit to be thrown. */
  failure<T>(error: T): T {
    return this.redactor.error(error, this.#showsData ? (data) => this.redactor.around(data) : undefined)
  }

  /** A point as it is saved. What an encoder needs to go on is made of records, and stands in the output as well. */
  readonly saved = (point: ExportState): ExportState => {
    const { source, warnings } = point
    return {
      ...point,
      source: { ...source, fallback: this.redactor.value(source.fallback) },
      warnings: this.redactor.value(warnings),
    }
  }

  /**
   * A cursor as it is saved. A server may put our token into its cursors: it gets them back as they are, since it has
   * the token anyway and no other origin ever sees a cursor, but a file is no place for it. In its stead stands a mark,
   * for which the token in use is filled in by the run that goes on; that may be a newer one, which is what the server
   * then expects.
   * @returns null where the token is there in another form (encoded, or in another case), which could not be put back
   * exactly
   */
  hideCursor(cursor: string): string | null {
    if (!this.redactor.holds(cursor)) return cursor
    if (cursor.includes(tokenMark)) return null
    const hidden = this.#tokens.reduce((text, token) => text.replaceAll(token, tokenMark), cursor)
    return this.redactor.holds(hidden) ? null : hidden
  }

  /** A saved cursor as it was. */
  showCursor(saved: string): string {
    const token = this.#tokens.at(-1)
    return token === undefined ? saved : saved.replaceAll(tokenMark, () => token)
  }
}

/** No token has a NUL in it. */
const tokenMark = '\0token\0'
