// The library's main calls: spec → automaton → ruleset → kernel, and the way back to a table that stands. Wiring only.
import type { Automaton } from './automaton/automaton.js'
import { buildAutomaton } from './automaton/build.js'
import { loadsOf, secretFilesOf } from './automaton/loads.js'
import { parseSetName } from './automaton/names.js'
import { ArgumentError, isNotFound, NftError } from './errors.js'
import { Knock } from './handle.js'
import { requireFeatures, requireVersion } from './kernel/capability.js'
import { type CallOptions, createNft, type Nft } from './kernel/nft.js'
import { ABOUT_SET, aboutComments, digestOf, isOurs, parseAbout } from './nft/about.js'
import type { NftCommand, NftDocument } from './nft/document.js'
import { isIntact } from './nft/intact.js'
import { type Listing, parseListing } from './nft/listing.js'
import { hasForeignPorts, renderLoads } from './nft/loads.js'
import { commonSet, parseFamilySet } from './nft/names.js'
import { renderReload } from './nft/reload.js'
import { renderRuleset } from './nft/render.js'
import { renderState, setsOf, usedOnly } from './nft/state.js'
import { renderText } from './nft/text.js'
import { readSecrets } from './secrets.js'
import type { KnockSpec } from './spec/generated/knock-types.js'
import type { KnockState } from './spec/generated/state-types.js'
import { isKeyword } from './spec/keywords.js'
import { validateState } from './spec/read-state.js'
import { validateSpec } from './spec/validate.js'

export interface KernelOptions {
  /** The nft binary's path, or an `Nft` of your own. Default: KNOCKLIB_NFT, then `nft` on PATH. */
  readonly nft?: string | Nft
  /** Aborts the call, and every later call of the handle that it returns. */
  readonly signal?: AbortSignal
}

export interface InstallOptions extends KernelOptions {
  /**
   * What a table held before, as `knock.save()` or `loadState()` returns it: put into the table in the same transaction,
   * so that it holds from the first packet on. Where the table stands already, it knows better who is let in and who is
   * banned: then only what has been used is taken of it.
   */
  readonly state?: KnockState | undefined
}

export interface AttachOptions extends KernelOptions {
  /** Default: `knock`. */
  readonly table?: string
}

/**
 * Installs a spec's table in one transaction: all of it stands, or nothing has changed. The same spec again changes
 * nothing but that tokens and rotating sequences are loaded ahead anew; another spec replaces the table, grants and
 * attempts included. Tokens and one-time sequences that have been used stay used. Established connections live on.
 *
 * @throws SpecError with every problem of the spec.
 * @throws StateError with every problem of the state.
 * @throws ArgumentError where a secret cannot be read.
 * @throws CapabilityError where the spec asks for what this nft does not know.
 * @throws NftError `already-exists` where a table of that name is not ours; otherwise what nft answered.
 */
export async function installKnock(spec: KnockSpec, options: InstallOptions = {}): Promise<Knock> {
  const { nft, call } = resolve(options, 'installKnock')
  const valid = validateSpec(spec, call.operation)
  const automaton = buildAutomaton(valid)
  const document = renderRuleset(automaton)
  const { table } = automaton
  const state = options.state && validateState(options.state, call.operation)
  const [secrets, version, listing] = await Promise.all([
    readSecrets(secretFilesOf(valid), call.operation),
    nft.version(call),
    listTable(nft, table, call),
  ])
  requireVersion(version, call.operation)
  requireFeatures(automaton, version, call.operation)
  const standing = listing ? parseListing(listing) : undefined
  if (standing && !isOurs(aboutComments(standing))) {
    const reason = 'there already, and not made by knocklib; it is left as it is'
    throw new NftError('already-exists', `${call.operation}: table inet ${table}: ${reason}`)
  }
  const now = Date.now() / 1000
  const loads = loadsOf(valid, secrets, now)
  const commands = [
    ...renderLoads(table, loads, now),
    ...(state ? restoreCommands(automaton, document, state, now, standing) : []),
  ]
  if (!standing || !isIntact(listing, document) || hasForeignPorts(standing, loads)) {
    const { nftables } = listing ? renderReload(document, listing, isSpent) : document
    await nft.apply({ nftables: [...nftables, ...commands] }, call)
    await requireApplied(nft, table, document, call)
  } else if (commands.length > 0) {
    await nft.apply({ nftables: commands }, call)
  }
  return new Knock(table, automaton.doors, nft, options.signal)
}

/** A table that stands knows better who is let in and who is banned; what was used is used. */
function restoreCommands(
  { table, doors }: Automaton,
  document: NftDocument,
  state: KnockState,
  now: number,
  standing: Listing | undefined,
): readonly NftCommand[] {
  const place = { table, doors, sets: setsOf(document, standing?.sets) }
  return renderState(place, standing ? usedOnly(state) : state, now).commands
}

/**
 * Loads the tokens and rotating sequences of a spec ahead anew, from now for their whole horizon: for a timer. The
 * table must stand as the spec has it. Used tokens stay used.
 *
 * @throws SpecError with every problem of the spec.
 * @throws ArgumentError where a secret cannot be read.
 * @throws NftError `not-found` where the table is not there, or was made of another spec.
 */
export async function refillKnock(spec: KnockSpec, options: KernelOptions = {}): Promise<void> {
  const { nft, call } = resolve(options, 'refillKnock')
  const valid = validateSpec(spec, call.operation)
  const document = renderKnock(spec)
  const { table } = valid
  const secrets = await readSecrets(secretFilesOf(valid), call.operation)
  const comments = await listAbout(nft, table, call)
  const refuse = (reason: string) => {
    const message = `${call.operation}: table inet ${table}: ${reason}; install the spec first`
    return new NftError('not-found', message)
  }
  if (!comments) throw refuse('not there, or not made by knocklib')
  if (parseAbout(comments)?.digest !== digestOf(document)) throw refuse('made of another spec')
  const now = Date.now() / 1000
  const loads = loadsOf(valid, secrets, now)
  const listings = await Promise.all(
    loads.ports.map(async ({ set }) =>
      parseListing(await nft.list({ table, set: commonSet(set) }, call)),
    ),
  )
  if (listings.some((listing) => hasForeignPorts(listing, loads))) throw refuse('other secrets')
  const commands = renderLoads(table, loads, now)
  if (commands.length > 0) await nft.apply({ nftables: commands }, call)
}

/** What has been used must stay so, whatever else of the table changes. */
const isSpent = (name: string): boolean =>
  parseSetName(parseFamilySet(name)?.set ?? name)?.role.kind === 'spent'

/** As the spec's schema has it. */
const TABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,31}$/

/**
 * Finds a table that stands, also from another process; the spec is not needed.
 *
 * @throws ArgumentError where the name is none that a spec's table can have.
 * @throws NftError `not-found` where there is none that knocklib made.
 */
export async function attachKnock(options: AttachOptions = {}): Promise<Knock> {
  const { table = 'knock' } = options
  const { nft, call } = resolve(options, 'attachKnock')
  if (!TABLE_NAME.test(table) || isKeyword(table)) {
    const expected = 'a name of 1 to 32 letters, digits and _ that is not a word of nft'
    const got = JSON.stringify(table)
    throw new ArgumentError(`${call.operation}: table: expected ${expected}, got ${got}`)
  }
  const [version, comments] = await Promise.all([nft.version(call), listAbout(nft, table, call)])
  requireVersion(version, call.operation)
  const about = comments && parseAbout(comments)
  if (!about) {
    const reason = !comments
      ? 'not there, or not made by knocklib'
      : 'made by another version of knocklib, which alone can read it; install the spec again'
    throw new NftError('not-found', `${call.operation}: table inet ${table}: ${reason}`)
  }
  return new Knock(table, about.doors, nft, options.signal)
}

/**
 * Validates a spec and asks nft whether it would take the ruleset; changes nothing. Needs CAP_NET_ADMIN like
 * `installKnock`: nft reads the kernel's ruleset also when it only checks.
 *
 * @throws SpecError with every problem of the spec.
 * @throws NftError
 */
export async function checkKnock(spec: KnockSpec, options: KernelOptions = {}): Promise<void> {
  const { nft, call } = resolve(options, 'checkKnock')
  const automaton = buildAutomaton(validateSpec(spec, call.operation))
  const version = await nft.version(call)
  requireVersion(version, call.operation)
  requireFeatures(automaton, version, call.operation)
  await nft.check(renderRuleset(automaton), call)
}

/**
 * Renders a spec as nft's JSON: what `nft -j -f` reads. Pure, no root; the same spec gives the same bytes.
 *
 * @throws SpecError with every problem of the spec.
 */
export function renderKnock(spec: KnockSpec): NftDocument {
  return renderRuleset(buildAutomaton(validateSpec(spec, 'renderKnock')))
}

/**
 * Renders a spec as text that `nft -f` reads, for /etc/nftables.d. Pure, no root.
 *
 * @throws SpecError with every problem of the spec.
 */
export function renderKnockText(spec: KnockSpec): string {
  return renderText(renderKnock(spec))
}

type Call = CallOptions & { readonly operation: string }

function resolve(options: KernelOptions, operation: string): { nft: Nft; call: Call } {
  const { nft, signal } = options
  return {
    nft: typeof nft === 'object' ? nft : createNft(nft === undefined ? {} : { binary: nft }),
    call: { operation, ...(signal && { signal }) },
  }
}

const listTable = (nft: Nft, table: string, call: Call): Promise<unknown> =>
  ifFound(() => nft.list({ table }, call))

/** What the table says of itself; undefined where there is no such table, or it says nothing. */
async function listAbout(
  nft: Nft,
  table: string,
  call: Call,
): Promise<readonly string[] | undefined> {
  const listing = await ifFound(async () =>
    parseListing(await nft.list({ table, set: ABOUT_SET }, call)),
  )
  return listing && aboutComments(listing)
}

async function ifFound<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask()
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

/** nft's exit code alone is no proof: some versions drop what they don't know and report success. */
async function requireApplied(nft: Nft, table: string, document: NftDocument, call: Call) {
  const comments = await listAbout(nft, table, call)
  if (comments && parseAbout(comments)?.digest === digestOf(document)) return
  const reason = 'nft reported success, but the table is not what was asked for'
  throw new NftError('unverified', `${call.operation}: table inet ${table}: ${reason}`)
}
