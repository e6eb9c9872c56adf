// A table's document, what is loaded into it, and nft's listing of the one that stands → one
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
import { renderReload } from './reload.js'
import { renderState, setsOf, usedOnly } from './saved-state.js'

/**
 * Seconds in which a table must be confirmed; `ended`: it needs no confirmation. Who keeps a table
 * that stands leaves its confirmation as it is, and says what is left of its time for one that is
 * gone, or that somebody has put another spec's in place of.
 */
export type WantedConfirm = number | 'ended' | { readonly left: number | undefined }

/** What shall stand. */
interface Wanted {
  readonly automaton: Automaton
  /** Of the automaton. */
  readonly document: NftDocument
  readonly loads: Loads
  /**
   * Whether a table that stands as it should is loaded ahead anew; else only what it lacks
   * altogether.
   */
  readonly refills: boolean
  /**
   * What was let in, banned and used before; where the table stands, it knows better who is let in
   * and banned.
   */
  readonly state: KnockState | undefined
  readonly pending: WantedConfirm
  /** Whether its nft knows sets of tokens. */
  readonly knowsTokens: boolean
}

/** The table was there as the spec has it; it was not there; it was there otherwise. */
export type InstallOutcome = 'unchanged' | 'made' | 'changed'

export interface Change {
  readonly outcome: InstallOutcome
  /**
   * Fails as a whole where the table is not the one that was listed. Empty: there is nothing to do.
   */
  readonly commands: NftCommand[]
}

/**
 * @param listing - as nft gave it; undefined where there is no such table.
 * @param standing - the same listing, parsed.
 * @param serial - marks the table that is made; another each time.
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
    const place = { table, doors: automaton.doors, sets: setsOf(document, sets), knowsTokens }
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
    const missing = () => renderLoads(table, missingOf(loads, standing), now)
    const due = wanted.refills ? loaded : missing()
    const commands = [...due, ...restored(used, standing.sets)]
    const same = commands.length > 0 ? renderNext(table, serialOf(standing)) : []
    return { outcome: 'unchanged', commands: [...same, ...commands] }
  }
  const before = parseAbout(aboutComments(standing) ?? [])
  const keepsBy = keepsElements(before, digestAttempts(automaton))
  const foreign = new Set(isForeign ? loads.ports.map(({ set }) => set) : [])
  const keeps = (name: string): boolean =>
    keepsBy(name) && !foreign.has(parseFamilySet(name)?.set ?? name)
  const isOwn = before?.digest === digestOf(document)
  const isLeft = typeof wanted.pending === 'object' && isOwn
  const pending = isLeft ? remaining(standing) : secondsOf(wanted.pending)
  const target = withConfirmOf(document, table, pending)
  const { nftables } = renderReload(withSerial(target, table, serial), listing, keeps, standing)
  const exhausted = renderExhausted(table, before?.doors ?? [], automaton.doors, standing)
  const kept = new Map([...standing.sets].filter(([name]) => isSpent(name) && keeps(name)))
  const commands = [...nftables, ...exhausted, ...loaded, ...restored(used, kept)]
  return { outcome: 'changed', commands }
}

/**
 * A change, with what it takes beside that the table against tags stands or is gone.
 *
 * @param listing - of the table that is changed.
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

/** What is left to confirm a table that stands: 0 if its time is over. */
function remaining(standing: Listing): number | undefined {
  const pending = confirmOf(standing)
  return pending === 'over' ? 0 : pending?.expiresIn
}
