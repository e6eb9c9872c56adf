// What a spec says and probably does not mean, and its line of text. Pure.

/**
 * A warning about a spec that is valid but probably does not do what was meant. It does not stop an
 * install. `installKnock` and `checkKnock` gather all warnings in `warnings`.
 */
export interface Warning {
  /** The kind of warning, such as `interface-enslaved`. The same in every version. */
  readonly id: string
  /** JSON Pointer into the spec; absent if the warning is about no place in it. */
  readonly path?: string
  /** What was found, and what to write or do instead. */
  readonly message: string
}

/** One line: `PATH: message`, or the message alone. */
export const describeWarning = ({ path, message }: Warning): string =>
  path === undefined ? message : `${path === '' ? '/' : path}: ${message}`
