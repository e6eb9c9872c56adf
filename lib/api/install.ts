// A valid spec → its table in the kernel, made or changed in one transaction, also if others
// install at the same time.
import { buildAutomaton } from '../automaton/build.js'
import { doubtedTokens } from '../automaton/doubts.js'
import type { Automaton } from '../automaton/language/automaton.js'
import type { Loads } from '../automaton/language/loads.js'
import { loadsOf, secretFilesOf } from '../automaton/loads.js'
import { type Change, renderChange, withTags } from '../change/change.js'
import { elementCount, neededBy } from '../change/needed.js'
import { type Clock, systemClock } from '../clock/clock.js'
import { KnockError, NftError } from '../errors.js'
import { type GivenSecrets, KnownSecrets } from '../files/known-secrets.js'
import { DocumentElements, type Elements } from '../kernel/elements.js'
import type { Nft } from '../kernel/nft.js'
import { knowsTypeof, requireFeatures, requireVersion } from '../kernel/process/capability.js'
import { type ListedPlace, listParts } from '../kernel/table-listing.js'
import { aboutComments, isOurs } from '../nft/about.js'
import type { NftCommand, NftDocument } from '../nft/document.js'
import { parseListing } from '../nft/listing.js'
import { missingOf } from '../nft/render/loads.js'
import { renderRuleset } from '../nft/render/render.js'
import { SERIALS, serialOf } from '../nft/serial.js'
import { isAtIngress, type StandingTags, standingTags, withNewTags } from '../nft/tags.js'
import type { KnockState } from '../spec/generated/state-types.js'
import type { ValidSpec } from '../spec/model/model.js'
import { type Call, ifFound, listTags } from '../table/installation.js'
import { mayBeConflict, NOT_AS_ASKED, tableError, Verification } from '../table/verify.js'
import { heldBy } from '../view/state-of-table.js'
import type { EnsureOptions } from './ensure-options.js'

/**
 * How often a transaction is tried again if others change the table first, and the longest pause
 * before the second try, in milliseconds.
 */
const TRIES = 12
const PAUSE = 20

/**
 * How often nft may refuse before the refusal is thrown. While the kernel prepares a change of
 * somebody else that fails in the end, it lists rules and elements twice or leaves some out. The
 * table itself does not change.
 */
const REFUSALS = 3

interface InstallationOptions {
  readonly clock?: Clock
  readonly elements?: Elements
}

/** A valid spec and how its table is installed, put back and kept current. */
export class Installation {
  readonly spec: ValidSpec
  readonly automaton: Automaton
  readonly document: NftDocument
  readonly nft: Nft
  readonly clock: Clock
  /** When the time to confirm ends, in milliseconds of the monotonic clock. */
  confirmEnds: number | undefined
  /**
   * What the table held when it was first installed or last kept, and when that was, in
   * milliseconds of the monotonic clock.
   */
  held: { readonly state: KnockState; readonly at: number } | undefined
  /** `Date.now()` minus `performance.now()` at the last load. */
  offset: number
  readonly #listed: ListedPlace
  readonly #verified: Verification
  #version: string | undefined
  readonly #secrets: KnownSecrets

  /** @param elements - how its sets are read. Default: by nft. */
  constructor(
    spec: ValidSpec,
    nft: Nft,
    { clock = systemClock, elements = new DocumentElements(nft) }: InstallationOptions = {},
  ) {
    this.spec = spec
    this.automaton = buildAutomaton(spec)
    this.document = renderRuleset(this.automaton)
    this.nft = nft
    this.clock = clock
    this.offset = clock.date() - clock.now()
    this.#secrets = new KnownSecrets(secretFilesOf(spec))
    const { table } = this.automaton
    this.#listed = { nft, elements, table }
    this.#verified = new Verification({ ...this.#listed, document: this.document })
  }

  /**
   * Makes the table as the spec has it, in one transaction or not at all. If it is that already,
   * changes only what is loaded ahead. If others change the table at the same time, lists it again
   * and tries again.
   *
   * @throws ArgumentError if a secret cannot be read.
   * @throws CapabilityError if the spec needs what this nft does not know.
   * @throws NftError `already-exists` if a table of that name is not ours; `conflict` if others
   * came first each time; `unverified` if the table did not become what was asked for; otherwise
   * what nft answered.
   */
  async ensure(call: Call, options: EnsureOptions): Promise<Change['outcome']> {
    const [given, version] = await Promise.all([
      this.#secrets.read(call.operation, options.unread),
      // Asked once: putting a flushed table back must be quick.
      this.#version ?? this.nft.version(call),
    ])
    requireVersion(version, call.operation)
    requireFeatures(this.automaton, version, call.operation)
    this.#version = version
    let outcome: Change['outcome'] | undefined
    let refusals = 0
    for (let tries = 1; tries <= TRIES; tries += 1) {
      const done = await this.#try(call, options, given)
      if (done instanceof KnockError) {
        refusals += 1
        if (refusals === REFUSALS) throw done
      } else if (done) {
        // A change of an earlier try counts, even if the last try found nothing to do.
        if ((outcome ?? 'unchanged') === 'unchanged') outcome = done.outcome
        if (outcome && done.isWhole) {
          const { pending } = options
          if (typeof pending === 'number') this.confirmEnds = this.clock.now() + 1000 * pending
          return outcome
        }
      }
      // Random: two processes with the same pause would collide again.
      await this.clock.pause(Math.random() * PAUSE * tries)
    }
    const { table } = this.automaton
    const unverified = `${NOT_AS_ASKED}, after ${TRIES} tries`
    if (outcome) throw tableError('unverified', table, call, unverified)
    const reason = `others changed it first, in each of ${TRIES} tries; it is as they left it`
    throw tableError('conflict', table, call, reason)
  }

  /**
   * Makes a table that is gone, without a listing or reading a secret first. Nothing is loaded
   * ahead: no token and no port of a rotation opens until `ensure` is called.
   *
   * @param left - seconds left to confirm it; undefined: it needs no confirmation.
   * @returns false if a table of that name exists.
   * @throws NftError as `ensure`.
   */
  async putBack(call: Call, state: KnockState, left: number | undefined): Promise<boolean> {
    const { automaton, document, nft } = this
    const knowsTokens = knowsTypeof(this.#version ?? (await nft.version(call)))
    const known = { automaton, document, loads: NO_LOADS, refills: false, state, knowsTokens }
    const wanted = { ...known, pending: { left } }
    const serial = Math.floor(Math.random() * SERIALS)
    const now = this.clock.date() / 1000
    const { commands } = renderChange(wanted, undefined, undefined, serial, now)
    if (await this.#isMade(withNewTags(commands), call)) return true
    // The doors' table may be gone while its table of tags still exists.
    const tags = await this.#standingTags(undefined, call)
    if (tags === 'none' || tags === 'foreign') return false
    return this.#isMade(commands, call)
  }

  /** False if a table with one of these names exists. */
  async #isMade(nftables: NftCommand[], call: Call): Promise<boolean> {
    try {
      await this.nft.apply({ nftables }, call)
      return true
    } catch (error) {
      if (error instanceof NftError && error.code === 'already-exists') return false
      throw error
    }
  }

  /** Asks only if the doors are at ingress, or were by this listing. */
  async #standingTags(listing: unknown, call: Call): Promise<StandingTags> {
    const { document, nft, spec } = this
    if (spec.hook !== 'ingress' && !isAtIngress(listing)) return 'none'
    return standingTags(await listTags(nft, spec.table, call), document)
  }

  /**
   * Undefined if somebody else changed the table between listing and transaction. An error if nft
   * refused a change of a table that nobody else had changed.
   */
  async #try(
    call: Call,
    { state: known, pending, loadsLater, doubted, isDue = true, isStale }: EnsureOptions,
    { secrets, isCurrent }: GivenSecrets,
  ): Promise<Done | KnockError | undefined> {
    const { automaton, document, nft, spec } = this
    const isNeeded = neededBy(document)
    const expected = elementCount(document)
    const listing = await ifFound(() => listParts(this.#listed, isNeeded, call, expected))
    if (isStale?.()) return { outcome: 'unchanged', isWhole: true }
    const before = listing === undefined ? undefined : parseListing(listing)
    if (before && !isOurs(aboutComments(before))) {
      const reason = 'exists already and was not made by knocklib; it is left as it is'
      throw tableError('already-exists', this.automaton.table, call, reason)
    }
    const tags = await this.#standingTags(listing, call)
    if (tags === 'foreign' && spec.hook === 'ingress') {
      const reason = 'exists already and was not made by knocklib; it is left as it is'
      throw tableError('already-exists', spec.table, call, reason, 'netdev')
    }
    const now = this.clock.date() / 1000
    this.offset = this.clock.date() - this.clock.now()
    const loads = !before && loadsLater ? NO_LOADS : loadsOf(this.spec, secrets, now)
    // A table that somebody else made again has no tokens.
    const isUnloaded = before && missingOf(loads, before, now).tokens.length > 0
    const doubts =
      known && doubted && isUnloaded ? doubtedTokens(this.spec, secrets, known, now) : []
    if (doubts.length > 0) doubted?.(doubts.length)
    const state = known && { ...known, tokens: [...known.tokens, ...doubts] }
    const serial = Math.floor(Math.random() * SERIALS)
    const knowsTokens = knowsTypeof(this.#version as string)
    // Without current secrets nothing is refilled, but a new table gets the old ones: a table that
    // opens to nobody would be worse.
    const refills = isCurrent && isDue
    const wanted = { automaton, document, loads, refills, state, pending, knowsTokens }
    const change = renderChange(wanted, listing, before, serial, now)
    const { outcome, commands } = withTags(change, document, tags, before)
    this.held ??= { state: heldBy(automaton, before, state, now), at: this.clock.now() }
    if (commands.length === 0) return { outcome, isWhole: true }
    try {
      await nft.apply({ nftables: commands }, call)
    } catch (error) {
      const had = before && { serial: serialOf(before), comments: aboutComments(before) }
      if (await this.#verified.isOther(error, had, call)) return undefined
      if (before && mayBeConflict(error)) return error
      throw error
    }
    if (outcome !== 'unchanged') await this.#verified.requireApplied(serial, call)
    // A new table is not computed from a listing, so that no wrong listing can spoil it.
    return {
      outcome,
      isWhole: outcome !== 'changed' || (await this.#verified.isWhole(serial, call)),
    }
  }
}

const NO_LOADS: Loads = { tokens: [], ports: [] }

interface Done {
  readonly outcome: Change['outcome']
  /** False if the table shows as something else than was asked for. */
  readonly isWhole: boolean
}
