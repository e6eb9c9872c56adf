// The files that a spec names, read again and again → the secrets in them, or those that were read
// last. Reads files.

import type { Secrets } from '../automaton/language/loads.js'
import { ArgumentError } from '../errors.js'
import { readSecrets } from './secrets.js'

export interface GivenSecrets {
  readonly secrets: Secrets
  /** Whether they are as their files have them now. */
  readonly isCurrent: boolean
}

/** Secrets that stay known when their files cannot be read any more. */
export class KnownSecrets {
  readonly #files: readonly string[]
  #last: Secrets | undefined

  constructor(files: readonly string[]) {
    this.#files = files
  }

  /**
   * Reads the files.
   *
   * @param unread - called with the reason why they cannot be read; then those that were read last
   * are returned.
   * @throws ArgumentError if they cannot be read, and there is no `unread`, or none were read
   * before.
   */
  async read(operation: string, unread?: (error: ArgumentError) => void): Promise<GivenSecrets> {
    try {
      this.#last = await readSecrets(this.#files, operation)
      return { secrets: this.#last, isCurrent: true }
    } catch (error) {
      if (!(error instanceof ArgumentError) || !unread || !this.#last) throw error
      unread(error)
      return { secrets: this.#last, isCurrent: false }
    }
  }
}
