// A secret that the user asked to keep ↔ the browser's storage for this page. Nothing is kept where
// a browser allows none.

import type { Window } from './dom.js'
import type { PageSettings } from './settings.js'

export class KeptSecret {
  readonly #storage: Window['localStorage'] | undefined
  /** Files share one storage, so the door is in the name. */
  readonly #key: string

  constructor(window: Window, { host, door }: PageSettings) {
    this.#storage = storageOf(window)
    this.#key = `knocklib ${host} ${door}`
  }

  get isPossible(): boolean {
    return this.#storage !== undefined
  }

  read(): string | undefined {
    return this.#storage?.getItem(this.#key) ?? undefined
  }

  keep(secret: string): void {
    this.#storage?.setItem(this.#key, secret)
  }

  forget(): void {
    this.#storage?.removeItem(this.#key)
  }
}

function storageOf(window: Window): Window['localStorage'] | undefined {
  try {
    return window.localStorage
  } catch {
    return undefined
  }
}
