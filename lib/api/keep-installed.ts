// A table that this process installed → kept in the kernel: connects the keeper's loop, the
// watcher, the relay, warnings and the state's file.
import type { Actions } from '../actions/actions.js'
import { oneTimeDigests } from '../automaton/knocks.js'
import { secretFilesOf } from '../automaton/loads.js'
import { compareChains } from '../change/chains.js'
import { type Clock, isoDate } from '../clock/clock.js'
import { readSynchronised } from '../clock/synchronised.js'
import { saveState } from '../files/state-file.js'
import { followWarnings } from '../host/follow.js'
import { isOfHost } from '../host/host-warning.js'
import { hostWarnings } from '../host/warnings.js'
import { type FailedEvent, isOfTable, type KeepEvent } from '../keep/event.js'
import type { KeepOptions } from '../keep/keep-options.js'
import { Keeper } from '../keep/keeper.js'
import { KeptConfirm } from '../keep/kept-confirm.js'
import type { KeptTable } from '../keep/kept-table.js'
import { requireHere } from '../kernel/here.js'
import { digestOf, parseAbout } from '../nft/about.js'
import { parseListing } from '../nft/listing.js'
import { LOADED_SET, loadedIn } from '../nft/loaded.js'
import { EventService } from '../relay/serve.js'
import { LONGEST_TOKEN } from '../spec/derive/derivation.js'
import type { KnockState } from '../spec/generated/state-types.js'
import type { ValidSpec } from '../spec/model/model.js'
import { ifFound, listAbout, listSerial } from '../table/installation.js'
import type { Warning } from '../text/warning.js'
import { readBefore, warnOfAhead } from '../view/check-status.js'
import { clockWarnings } from '../view/clock-status.js'
import { type PendingConfirm, rolesByDoor } from '../view/contents.js'
import { KnownState } from '../view/known-state.js'
import type { ReaderShares } from '../watch/readers.js'
import type { TablePlace } from '../watch/table-source.js'
import type { Installation } from './install.js'
import type { SavedTable } from './table-reader.js'

/** Seconds between two refills: at most and at least. */
const REFILL = { most: 3600, least: 10 } as const
/** Refills in the time for which tokens are loaded ahead. */
const REFILLS = 10
/** Records that may wait. The keeper takes them at once. */
const QUEUE = 100_000
/** Milliseconds between two checks of how far tokens and ports are loaded. */
const LOOK_AHEAD = 10_000
/** Milliseconds for which an install's listing counts as what the table holds. */
const FRESH = 5000

const CALL = { operation: 'keepInstalled' } as const

/** A table that this process installed, and what the keeper needs of its handle. */
interface Installed {
  readonly installation: Installation
  /** What the install warned of. */
  readonly warnings: readonly Warning[]
  /** A handle without the caller's signal: the work at the end must not be aborted with it. */
  readonly own: OwnHandle
}

interface OwnHandle {
  saveWithConfirm(): Promise<SavedTable>
  pending(): Promise<PendingConfirm | undefined>
  restore(state: KnockState): Promise<unknown>
  door(name: string): { close(source: string): Promise<boolean> }
}

/**
 * Readers, the folder of the relay's socket, and what says whether the clock is synchronised.
 * Default: the system's.
 */
interface Means {
  readonly shares?: ReaderShares
  readonly folder?: string
  readonly synchronised?: typeof readSynchronised
}

/** Keeps an installed table, as `Knock.keepInstalled` says. */
export async function keepInstalled(
  { installation, warnings, own }: Installed,
  place: TablePlace,
  { signal, stateFile, onEvent = () => {}, actions: given, warnBefore }: KeepOptions,
  { shares, folder, synchronised = readSynchronised }: Means = {},
): Promise<void> {
  requireHere(place.nft, CALL.operation)
  const before = readBefore(warnBefore, CALL.operation)
  // Imported here: most users of knocklib watch nothing.
  const [{ TableSource }, { TableWatcher }] = await Promise.all([
    import('../watch/table-source.js'),
    import('../watch/watch-table.js'),
  ])
  const { spec, automaton, clock } = installation
  const time = () => isoDate(clock)
  const fail = (what: FailedEvent['what'], message: string) =>
    onEvent({ time: time(), event: 'failed', what, message })
  const pending = new KeptConfirm(
    (expiresIn) => onEvent({ time: time(), event: 'unconfirmed', expiresIn }),
    (message) => fail('confirm', message),
    installation.confirmEnds,
  )
  const digestOfOwn = digestOf(installation.document)
  const haveItsChains = compareChains(installation.document)
  const look = async () => {
    const { state, confirm, digest, objects } = await own.saveWithConfirm()
    // If another spec stands there, its confirmation is not this one's.
    if (digest === digestOfOwn) pending.read(confirm, clock.now())
    return { state, isWhole: haveItsChains(objects) }
  }
  // Runs before the whole table is listed: the table may be flushed right after it was confirmed.
  const noteConfirmed = async () => {
    if (pending.left(clock.now()) === undefined) return
    const serial = await listSerial(place.nft, spec.table, CALL)
    if (serial === undefined || (await own.pending())) return
    // The set is missing also after a flush and in another spec's table: rule both out.
    const about = await listAbout(place.nft, spec.table, CALL)
    const isOwn = about !== undefined && parseAbout(about)?.digest === digestOfOwn
    const isSame = isOwn && (await listSerial(place.nft, spec.table, CALL)) === serial
    if (isSame) pending.read(undefined, clock.now())
  }
  const unread = ({ message }: Error) => {
    const meanwhile = 'those that were read before go on, and nothing is loaded ahead anew'
    fail('secrets', `${message}; ${meanwhile}`)
  }
  const doubted = (count: number) => {
    const tokens = `the ${count} tokens that may have been used by now are refused`
    const doubt = 'what packets did just before the table was gone is not known for certain'
    const message = `${doubt}: ${tokens}`
    fail('tokens', `${message}; later ones open`)
  }
  const table: KeptTable = {
    async putBack(state) {
      const isMade = await installation.putBack(CALL, state, pending.left(clock.now()))
      if (isMade) pending.putBack(clock.now())
      return isMade
    },
    async ensure(state, { isCertain, isDue, isStale }) {
      const left = pending.left(clock.now())
      const how = { unread, isDue, isStale, loadsLater: true, ...(!isCertain && { doubted }) }
      const outcome = await installation.ensure(CALL, { state, pending: { left }, ...how })
      // What looked like an alteration may have been a confirmation, or an install that waits for
      // one.
      if (outcome === 'made') pending.putBack(clock.now())
      else await ifFound(look)
      return outcome
    },
    refillEvery: secretFilesOf(spec).length === 0 ? undefined : refillEvery(spec),
    restore: async (state) => void (await own.restore(state)),
    close: ({ door, source }) => own.door(door).close(source),
    save: look,
    records: (options) =>
      new TableWatcher(new TableSource(place), {
        ...options,
        ...{ clock, shares, queue: QUEUE, needsLog: false },
        deaf: ({ message }) => {
          service?.yield()
          fail('events', message)
        },
        hears: () => onEvent({ time: time(), event: 'watching' }),
      }),
    write: stateFile === undefined ? undefined : (state) => saveState(stateFile, state),
  }
  const heard = new AbortController()
  const reportWarning = (warning: Warning, isOver: boolean) =>
    onEvent({ time: time(), event: 'warning', ...warning, ...(isOver && { over: true }) })
  const until = AbortSignal.any([signal, heard.signal])
  const roles = rolesByDoor(automaton.periodSets.map(({ name }) => name))
  // Asks the kernel's own countdown, so that it shows any reason for a missed refill.
  const lookAhead = async () => {
    const query = { table: spec.table, set: LOADED_SET }
    const loaded = loadedIn(parseListing(await place.nft.list(query, CALL)))
    return [
      ...warnOfAhead(automaton.doors, { roles, ...(loaded && { loaded }) }, clock.date(), before),
      ...clockWarnings(await synchronised()),
    ]
  }
  const followed = { clock, report: reportWarning, signal: until }
  const lapsed =
    table.refillEvery !== undefined &&
    followWarnings({ ...followed, known: [], every: LOOK_AHEAD, look: lookAhead })
  const warned = followWarnings({
    ...followed,
    known: warnings.filter(isOfHost),
    look: () => hostWarnings(spec, place.nft.netns, CALL.operation),
  })
  for (const warning of warnings) onEvent({ time: time(), event: 'warning', ...warning })
  const known = new KnownState({
    table: spec.table,
    banFor: spec.guard.ban?.for,
    trapFor: spec.guard.traps?.for,
    rememberTokens: LONGEST_TOKEN,
    digestOf: oneTimeDigests(spec),
  })
  const { held } = installation
  if (held && clock.now() - held.at < FRESH) known.read(held.state, clock.date())
  else if (held) known.remember(held.state)
  installation.held = undefined
  const actions = given ?? (await ownActions(spec, clock, signal))
  const take = (event: KeepEvent) => {
    // Now, not in the keeper's turn: the work under way may take long.
    if (event.event === 'installed') noteConfirmed().catch(() => {})
    if (isOfTable(event)) {
      service?.send(event)
      actions?.take(event)
    }
    onEvent(event)
  }
  const { netns } = place.nft
  const unacted = spec.actions.length === 0 ? '' : ', and no action is done'
  await using service =
    netns === undefined
      ? undefined
      : new EventService({
          ...{ netns, clock, table: spec.table, signal, folder },
          failed: (message) => fail('watchers', `${message}${unacted}`),
        })
  // Of several keepers of a table the one that others hear acts, so that nothing is done twice.
  const isOurs = () => service?.isServing ?? false
  actions?.use(spec.actions, { table: spec.table, report: take, isOurs })
  try {
    const { offset } = installation
    await new Keeper(table, known, { clock, signal, emit: take, offset }).run()
  } finally {
    heard.abort()
    await Promise.all([warned, lapsed])
    if (!given) await actions?.end()
    // For the next `keepInstalled` of this handle.
    if (known.isComplete) installation.held = { state: known.state(clock.date()), at: clock.now() }
  }
}

/** What does the actions of a spec that has some. It ends with the signal. */
async function ownActions(
  { actions }: ValidSpec,
  clock: Clock,
  signal: AbortSignal,
): Promise<Actions | undefined> {
  if (actions.length === 0) return undefined
  const { Actions } = await import('../actions/actions.js')
  const own = new Actions({ clock })
  // At once, beside the keeper's own end.
  signal.addEventListener('abort', () => void own.end(), { once: true })
  return own
}

function refillEvery({ doors }: ValidSpec): number {
  const horizons = doors.flatMap(({ knocks }) =>
    knocks.flatMap((knock) => ('horizon' in knock ? [knock.horizon] : [])),
  )
  const soon = Math.min(...horizons) / REFILLS
  return Math.min(Math.max(soon, REFILL.least), REFILL.most)
}
