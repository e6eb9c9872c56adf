// An unknown document → a valid saved state, its addresses in canonical form, or every problem at once. Pure.
import { StateError } from '../errors.js'
import { parseAddress } from './address.js'
import { LONGEST_TOKEN } from './derive.js'
import { formatDuration, MAX_DURATION } from './duration.js'
import type { Findings } from './findings.js'
import { expected } from './generated/expected-state.js'
import type { KnockState } from './generated/state-types.js'
import { checkSchema } from './validate.js'

const EVERYONE = 'everyone'

/**
 * Validates a saved state. The document is left as it is.
 *
 * @param subject - what an error's message begins with.
 * @throws StateError with all problems, in the order of the document's parts.
 */
export function validateState(document: unknown, subject = 'validateState'): KnockState {
  const findings = checkSchema('state', document, expected)
  const state = findings.isClean('') ? readState(document as KnockState, findings) : undefined
  if (!state || findings.problems.length > 0) throw new StateError(subject, findings.sorted())
  return state
}

function readState(state: KnockState, findings: Findings): KnockState {
  const saved = findings.isClean('/saved') ? timeOf(state.saved, '/saved', findings) : Number.NaN
  const reader = new Reader(findings, saved)
  const entries = <T>(name: 'grants' | 'bans' | 'tokens' | 'sequences', list: readonly T[]) =>
    findings.isClean(`/${name}`) ? list : []
  return {
    ...state,
    grants: entries('grants', state.grants).map((grant, index) => {
      const path = `/grants/${index}`
      if (!findings.isCleanBelow(path)) return grant
      const source = reader.source(grant.source, path, EVERYONE)
      reader.time(grant.until, path, MAX_DURATION)
      reader.once(`grant ${grant.door} ${source}`, path)
      return { ...grant, source }
    }),
    bans: entries('bans', state.bans).map((ban, index) => {
      const path = `/bans/${index}`
      if (!findings.isCleanBelow(path)) return ban
      const source = reader.source(ban.source, path)
      reader.time(ban.until, path, MAX_DURATION)
      reader.once(`ban ${source}`, path)
      return { ...ban, source }
    }),
    tokens: entries('tokens', state.tokens).map((used, index) => {
      const path = `/tokens/${index}`
      if (!findings.isCleanBelow(path)) return used
      reader.time(used.until, path, LONGEST_TOKEN)
      reader.once(`token ${used.door} ${used.token}`, path)
      return used
    }),
    sequences: entries('sequences', state.sequences).map((used, index) => {
      const path = `/sequences/${index}`
      if (findings.isCleanBelow(path)) reader.once(`sequence ${used.door} ${used.digest}`, path)
      return used
    }),
  }
}

/** Reads what a schema cannot say. */
class Reader {
  readonly #findings: Findings
  /** Milliseconds since 1970. */
  readonly #saved: number
  readonly #known = new Set<string>()

  constructor(findings: Findings, saved: number) {
    this.#findings = findings
    this.#saved = saved
  }

  source(text: string, path: string, otherwise?: string): string {
    const address = text === otherwise ? text : parseAddress(text)?.address
    if (address !== undefined) return address
    const everyone = otherwise === undefined ? '' : `, or "${otherwise}"`
    this.#findings.add(`${path}/source`, `an IPv4 or IPv6 address${everyone}`)
    return text
  }

  /** Nothing lasts longer than it can have been given: a time far ahead is none that was saved. */
  time(text: string, path: string, longest: number): void {
    const time = timeOf(text, `${path}/until`, this.#findings)
    if (!(time - this.#saved > longest * 1000)) return
    this.#findings.add(`${path}/until`, `a time at most ${formatDuration(longest)} after /saved`)
  }

  once(key: string, path: string): void {
    if (this.#known.has(key)) this.#findings.add(path, 'each once')
    this.#known.add(key)
  }
}

/** Milliseconds since 1970. The form alone lets the 31st of February pass. */
function timeOf(text: string, path: string, findings: Findings): number {
  const time = Date.parse(text)
  const isReal = !Number.isNaN(time) && new Date(time).toISOString().startsWith(text.slice(0, 19))
  if (!isReal) findings.add(path, 'a time in UTC such as "2026-11-21T10:30:00.000Z"')
  return time
}
