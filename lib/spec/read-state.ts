// An unknown document → a valid saved state with canonical addresses, or all problems at once.
// Pure.
import { StateError } from '../errors.js'
import { quoted } from '../text/printable.js'
import { LONGEST_TOKEN } from './derive/derivation.js'
import { expected } from './generated/expected-state.js'
import type { KnockState } from './generated/state-types.js'
import { formatCidr, parseCidr } from './model/address.js'
import { formatDuration, MAX_DURATION } from './model/duration.js'
import type { Findings } from './model/findings.js'
import { checkSchema } from './validate.js'

const EVERYONE = 'everyone'

/**
 * Validates a saved state. The document is not changed.
 *
 * @param subject - begins the message of an error.
 * @throws StateError with all problems, in the order of the document's parts.
 */
export function validateState(document: unknown, subject = 'validateState'): KnockState {
  const findings = checkSchema('state', document, expected)
  const state = findings.isClean('') ? readState(document as KnockState, findings) : undefined
  if (!state || findings.problems.length > 0) throw new StateError(subject, findings.sorted())
  return state
}

/**
 * Refuses a state of another table. Two tables may have doors of the same name, and a source with a
 * grant of one must not get into the other.
 *
 * @param table - the table into which the state is to be put.
 * @throws StateError with the code `other-table` that names both tables.
 */
export function requireTable(state: KnockState, table: string, subject: string): KnockState {
  if (state.table === table) return state
  const path = '/table'
  const message =
    `expected ${quoted(table)}, the table into which the state is put, got ` +
    `${quoted(state.table)}; use a state of ` +
    `${quoted(table)}, or write ${quoted(table)} there if the table was renamed`
  const params = { expected: table, found: state.table }
  throw new StateError(subject, [{ path, message, params }], { code: 'other-table' })
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
      const source = reader.source(grant, path, EVERYONE)
      reader.once(() => `grant ${grant.door} ${source}`, path)
      reader.until(grant, path, MAX_DURATION)
      return { ...grant, source }
    }),
    bans: entries('bans', state.bans).map((ban, index) => {
      const path = `/bans/${index}`
      const source = reader.source(ban, path)
      reader.once(() => `ban ${source}`, path)
      reader.until(ban, path, MAX_DURATION)
      return { ...ban, source }
    }),
    tokens: entries('tokens', state.tokens).map((used, index) => {
      const path = `/tokens/${index}`
      reader.once(() => `token ${used.door} ${used.token}`, path)
      reader.until(used, path, LONGEST_TOKEN)
      return used
    }),
    sequences: entries('sequences', state.sequences).map((used, index) => {
      reader.once(() => `sequence ${used.door} ${used.digest}`, `/sequences/${index}`)
      return used
    }),
  }
}

/** Checks the parts of a state that a schema cannot check. */
class Reader {
  readonly #findings: Findings
  /** Milliseconds since 1970. */
  readonly #saved: number
  readonly #known = new Set<string>()

  constructor(findings: Findings, saved: number) {
    this.#findings = findings
    this.#saved = saved
  }

  source(entry: { readonly source: string }, path: string, otherwise?: string): string {
    if (!this.#isRead(path, 'source')) return ''
    const { source } = entry
    if (source === otherwise) return source
    const block = parseCidr(source)
    if (block && !block.hostBits) return formatCidr(block)
    const everyone = otherwise === undefined ? '' : `, or "${otherwise}"`
    this.#findings.add(`${path}/source`, `an IPv4 or IPv6 address or a CIDR block${everyone}`)
    return source
  }

  /** An end that is further away than any duration allows was never saved by knocklib. */
  until(entry: { readonly until: string }, path: string, longest: number): void {
    if (!this.#isRead(path, 'until')) return
    const time = timeOf(entry.until, `${path}/until`, this.#findings)
    if (!(time - this.#saved > longest * 1000)) return
    this.#findings.add(`${path}/until`, `a time at most ${formatDuration(longest)} after /saved`)
  }

  once(keyOf: () => string, path: string): void {
    if (!this.#findings.isCleanBelow(path)) return
    const key = keyOf()
    if (this.#known.has(key)) this.#findings.add(path, 'each entry once')
    this.#known.add(key)
  }

  /** Whether the schema accepted an entry and this part of it. */
  #isRead(path: string, part: string): boolean {
    return this.#findings.isClean(path) && this.#findings.isClean(`${path}/${part}`)
  }
}

/**
 * Reads a time in milliseconds since 1970; NaN if it is none. The schema alone would accept the
 * 31st of February.
 */
function timeOf(text: string, path: string, findings: Findings): number {
  const time = Date.parse(text)
  const isReal = !Number.isNaN(time) && new Date(time).toISOString().startsWith(text.slice(0, 19))
  if (isReal) return time
  findings.add(path, 'a time in UTC such as "2026-11-21T10:30:00.000Z"')
  return Number.NaN
}
