// The document of the wanted table, its loads, and nft's listing of the installed one → one
// transaction. Pure.
import type { Automaton } from '../automaton/language/automaton.js'
import type { Loads } from '../automaton/language/loads.js'
import { aboutComments, digestAttempts, digestOf, parseAbout } from '../nft/about.js'
import { CONFIRM_SET, confirmOf, withConfirm } from '../nft/confirm.js'
import type { NftCommand, NftDocument } from '../nft/document.js'
import type { Listing } from '../nft/listing.js'
import { parseFamilySet } from '../nft/names.js'
import { hasForeignPorts, missingOf, renderLoads } from '../nft/render/loads.js'
import { renderCreation, renderNext, serialOf, withSerial } from '../nft/serial.js'
import { nameOf, renderNoTags, type StandingTags, tagsOf } from '../nft/tags.js'
import type { KnockState } from '../spec/generated/state-types.js'
import { isIntact } from './intact.js'
import { isSpent, keepsElements, renderExhausted } from './kept.js'
import { renderMovedGrants, renderOldCounts, renderWidenedBans } from './moved.js'
import { renderReload } from './reload.js'
import { renderState, setsOf, usedOnly } from './saved-state.js'

/**
 * How the table waits for its confirmation: seconds within which it must be confirmed; or `ended`
 * if it needs none; or an object from a keeper. A keeper leaves the confirmation of an installed
 * table as it is. `left` has the seconds that remain, for a table that is gone or that somebody
 * replaced with another spec's.
 */
export type WantedConfirm = number | 'ended' | { readonly left: number | undefined }

/** The table that is wanted. */
interface Wanted {
  readonly automaton: Automaton
  /** Rendered from `automaton`. */
  readonly document: NftDocument
  readonly loads: Loads
  /**
   * Whether tokens and ports are loaded anew into a table that is unchanged. If false, only sets
   * that hold nothing are loaded.
   */
  readonly refills: boolean
  /**
   * The grants, bans, used tokens and used sequences to restore. If the table is installed, its own
   * grants and bans are newer, so those of the state are ignored.
   */
  readonly state: KnockState | undefined
  readonly pending: WantedConfirm
  /** Whether this nft supports sets of tokens. */
  readonly knowsTokens: boolean
}

/**
 * `unchanged`: the table was there as the spec has it. `made`: there was none. `changed`: there was
 * another one.
 */
export type InstallOutcome = 'unchanged' | 'made' | 'changed'

export interface Change {
  readonly outcome: InstallOutcome
  /**
   * One transaction. It fails as a whole if the table is no longer the one that was listed. Empty
   * if there is nothing to do.
   */
  readonly commands: NftCommand[]
}

/**
 * Renders the transaction that turns the installed table into the wanted one.
 *
 * @param listing - nft's JSON; undefined if there is no such table.
 * @param standing - the same listing, parsed.
 * @param serial - identifies the table that is made; another number each time.
 * @param now - seconds since 1970.
 */
export function renderChange(
  wanted: Wanted,
  listing: unknown,
  standing: Listing | undefined,
  serial: number,
  now: number,
): Change {
  const { automaton, document, loads, state } = wanted
  const { table } = automaton
  const loaded = renderLoads(table, loads, now)
  const restored = (saved: KnockState | undefined, sets?: Listing['sets']): NftCommand[] => {
    const { knowsTokens } = wanted
    const { doors, guardPrefix } = automaton
    const place = { table, doors, guardPrefix, sets: setsOf(document, sets), knowsTokens }
    return saved ? [...renderState(place, saved, now).commands] : []
  }
  if (!standing) {
    const first = withConfirmOf(document, table, secondsOf(wanted.pending))
    const made = renderCreation(withSerial(first, table, serial))
    return { outcome: 'made', commands: [...made.nftables, ...loaded, ...restored(state)] }
  }
  const used = state && usedOnly(state)
  const isForeign = hasForeignPorts(standing, loads)
  const isTried = standing.sets.has(CONFIRM_SET)
  const isWanted = typeof wanted.pending === 'object' || (wanted.pending === 'ended' && !isTried)
  if (isWanted && !isForeign && isIntact(listing, document)) {
    const missing = () => renderLoads(table, missingOf(loads, standing, now), now)
    const due = wanted.refills ? loaded : missing()
    const commands = [...due, ...restored(used, standing.sets)]
    const same = commands.length > 0 ? renderNext(table, serialOf(standing)) : []
    return { outcome: 'unchanged', commands: [...same, ...commands] }
  }
  const before = parseAbout(aboutComments(standing) ?? [])
  const keepsBy = keepsElements(before, digestAttempts(automaton), automaton.doors)
  const foreign = new Set(isForeign ? loads.ports.map(({ set }) => set) : [])
  const keeps = (name: string): boolean =>
    keepsBy(name) && !foreign.has(parseFamilySet(name)?.set ?? name)
  const isOwn = before?.digest === digestOf(document)
  const isLeft = typeof wanted.pending === 'object' && isOwn
  const pending = isLeft ? remaining(standing) : secondsOf(wanted.pending)
  const target = withConfirmOf(document, table, pending)
  const { nftables } = renderReload(withSerial(target, table, serial), listing, keeps, standing)
  const exhausted = renderExhausted(table, before?.doors ?? [], automaton.doors, standing)
  const doors = { table, before: before?.doors ?? [], after: automaton.doors }
  const moved = [
    ...renderMovedGrants({ ...doors, sizes: sizesOf(document) }, standing),
    ...renderOldCounts(doors, standing),
    ...renderWidenedBans(
      { table, prefix: automaton.guardPrefix, sizes: sizesOf(document) },
      standing,
    ),
  ]
  const kept = new Map([...standing.sets].filter(([name]) => isSpent(name) && keeps(name)))
  const commands = [...nftables, ...moved, ...exhausted, ...loaded, ...restored(used, kept)]
  return { outcome: 'changed', commands }
}

/** The sizes of the sets that a document makes, by nft's names. */
const sizesOf = ({ nftables }: NftDocument): Map<string, number | undefined> =>
  new Map(
    nftables.flatMap((command) =>
      'add' in command && 'set' in command.add
        ? [[command.add.set.name, command.add.set.size] as const]
        : [],
    ),
  )

/**
 * Adds the commands that make or remove the table against tags.
 *
 * @param listing - the listing of the inet table that is changed.
 */
export function withTags(
  { outcome, commands }: Change,
  document: NftDocument,
  standing: StandingTags,
  listing: Listing | undefined,
): Change {
  const table = nameOf(document.nftables[0])
  const tags = tagsOf(document)
  const isWanted = tags.length > 0
  if (outcome === 'unchanged' && isWanted && standing !== 'intact') {
    const before = commands.length > 0 || !listing ? commands : renderNext(table, serialOf(listing))
    return { outcome: 'changed', commands: [...before, ...tags] }
  }
  const isLeft = !isWanted && (standing === 'altered' || standing === 'intact')
  if (!isLeft) return { outcome, commands }
  return { outcome, commands: [...commands, ...renderNoTags(table)] }
}

function secondsOf(pending: WantedConfirm): number | undefined {
  if (typeof pending === 'object') return pending.left
  return pending === 'ended' ? undefined : pending
}

const withConfirmOf = (
  document: NftDocument,
  table: string,
  seconds: number | undefined,
): NftDocument => (seconds === undefined ? document : withConfirm(document, table, seconds))

/**
 * The seconds that remain to confirm the installed table: 0 if its time is over, undefined if it
 * needs no confirmation.
 */
function remaining(standing: Listing): number | undefined {
  const pending = confirmOf(standing)
  return pending === 'over' ? 0 : pending?.expiresIn
}
