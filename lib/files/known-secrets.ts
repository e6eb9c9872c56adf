// The files that a spec names → their secrets; if they can no longer be read, those that were read
// last. Reads files.

import type { Secrets } from '../automaton/language/loads.js'
import { ArgumentError } from '../errors.js'
import { readSecrets } from './secrets.js'

export interface GivenSecrets {
  readonly secrets: Secrets
  /** Whether the secrets are those that the files hold now. */
  readonly isCurrent: boolean
}

/** Keeps the secrets that were read last, for a time when the files cannot be read. */
export class KnownSecrets {
  readonly #files: readonly string[]
  #last: Secrets | undefined

  constructor(files: readonly string[]) {
    this.#files = files
  }

  /**
   * Reads the files.
   *
   * @param unread - called with the reason if they cannot be read; then the secrets that were read
   * last are returned.
   * @throws ArgumentError if they cannot be read and there is no `unread`, or none were read
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
