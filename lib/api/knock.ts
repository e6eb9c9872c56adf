// The library's main calls: spec → automaton → ruleset → kernel, and the way back to a table that stands. Wiring only.
import { buildAutomaton } from '../automaton/build.js'
import { loadsOf, secretFilesOf } from '../automaton/loads.js'
import { ArgumentError, isNotFound, NftError, StrictError, type Warning } from '../errors.js'
import { readSecrets } from '../files/secrets.js'
import { hostWarnings } from '../host/warnings.js'
import { chooseElements, type ElementOptions } from '../kernel/netlink/chosen.js'
import type { Nft } from '../kernel/nft.js'
import { requireFeatures, requireVersion } from '../kernel/process/capability.js'
import { createNft } from '../kernel/process/process-nft.js'
import { digestDoors, digestOf, isOurs, parseAbout } from '../nft/about.js'
import type { NftDocument } from '../nft/document.js'
import { parseListing } from '../nft/listing.js'
import { commonSet } from '../nft/names.js'
import { hasForeignPorts, renderLoads } from '../nft/render/loads.js'
import { renderRuleset } from '../nft/render/render.js'
import { renderText } from '../nft/render/text.js'
import { renderKeepingText } from '../nft/render/text-keeping.js'
import { renderNext } from '../nft/serial.js'
import type { KnockSpec } from '../spec/generated/knock-types.js'
import type { KnockState } from '../spec/generated/state-types.js'
import { EXPECTED_DURATION, parseDuration } from '../spec/model/duration.js'
import { isKeyword } from '../spec/model/keywords.js'
import type { ValidSpec } from '../spec/model/model.js'
import { requireTable, validateState } from '../spec/read-state.js'
import { validateSpec } from '../spec/validate.js'
import { confirmTable } from '../table/confirm.js'
import { type Call, listAbout, listSerial } from '../table/installation.js'
import { removeAny, removeOwn } from '../table/remove.js'
import { unreadable } from '../table/standing-doors.js'
import { Knock } from './handle.js'
import { Installation } from './install.js'

export interface KernelOptions extends ElementOptions {
  /** The nft binary's path, or an `Nft` of your own. Default: KNOCKLIB_NFT, then `nft` on PATH. */
  readonly nft?: string | Nft
  /** Aborts the call, and every later call of the handle that it returns. */
  readonly signal?: AbortSignal
}

export interface CheckOptions extends KernelOptions {
  /** Whether a warning is an error: then nothing is installed. Default: false. */
  readonly strict?: boolean | undefined
  /** Warnings of the caller's own, such as of the spec's file: they come first in `warnings`, and count for `strict`. */
  readonly warnings?: readonly Warning[] | undefined
}

/** What `checkKnock` found of a spec that nft takes. */
export interface CheckReport {
  readonly warnings: readonly Warning[]
}

export interface InstallOptions extends CheckOptions {
  /**
   * How long the doors stay without being confirmed, as in the spec or in seconds. Unless `confirm` is called in that time
   * the kernel lets them fall open by itself: every packet passes as if there were no table, whether this process lives
   * or not. Default: they need no confirmation.
   */
  readonly confirmWithin?: string | number | undefined
  /**
   * What a table held before, as `knock.save()` or `loadState()` returns it: put into the table in the same transaction,
   * so that it holds from the first packet on. Where the table stands already, it knows better who is let in and who is
   * banned: then only what has been used is taken of it.
   */
  readonly state?: KnockState | undefined
}

export interface TextOptions {
  /**
   * Whether a table that stands keeps grants, bans, counters, tokens and what has been used when the text is loaded over
   * it; knocks under way begin again. Default: false, the table is made anew.
   */
  readonly keep?: boolean | undefined
}

export interface AttachOptions extends KernelOptions {
  /** Default: `knock`. */
  readonly table?: string
}

/**
 * Installs a spec's table in one transaction: all of it stands, or nothing has changed. The same spec again changes
 * nothing but that tokens and rotating sequences are loaded ahead anew. Another spec changes the table in place: grants and
 * counters stay with doors of the same name, attempts with knocks that are the same, bans and strikes where the new
 * spec bans; what has been used stays used; established connections live on. A packet is judged by the old rules or the
 * new ones. Several processes may install at once: one comes after the other.
 *
 * What probably does not do what was meant is in the handle's `warnings`.
 *
 * ATTENTION: `await using knock = await installKnock(spec)` removes the table at the end of its block, also if that ends with
 * an error, and everyone is let in. A table of another spec that somebody has installed meanwhile stays.
 *
 * @throws SpecError with every problem of the spec.
 * @throws StrictError with `strict`, where there are warnings.
 * @throws StateError with every problem of the state, or where it is that of another table.
 * @throws ArgumentError where a secret cannot be read, or `confirmWithin` is no duration.
 * @throws CapabilityError where the spec asks for what this nft does not know.
 * @throws NftError `already-exists` where a table of that name is not ours; `conflict` where others changed it first again
 * and again; otherwise what nft answered.
 */
export async function installKnock(spec: KnockSpec, options: InstallOptions = {}): Promise<Knock> {
  const { nft, call } = resolve(options, 'installKnock')
  const valid = validateSpec(spec, call.operation)
  const saved = options.state && validateState(options.state, call.operation)
  const state = saved && requireTable(saved, valid.table, call.operation)
  const trial = readTrial(options.confirmWithin, call.operation)
  const installation = new Installation(valid, nft)
  const warnings = await gatherWarnings(valid, nft, options, call)
  const outcome = await installation.ensure(call, { state, trial })
  const { table, doors } = installation.automaton
  const digest = digestOf(installation.document)
  return new Knock(table, { doors, doorsDigest: digestDoors(doors) }, nft, {
    ...{ signal: options.signal, elements: chooseElements(nft, options), warnings },
    installed: { installation, outcome },
    atEnd: (end) => removeOwn(nft, table, digest, end),
  })
}

/**
 * Looks for what a valid spec probably does not do as it was meant, on this host. Changes nothing, asks no nft to change or
 * check anything, and needs no privilege.
 *
 * @throws SpecError with every problem of the spec.
 * @throws StrictError with `strict`, where there are warnings.
 */
export async function findWarnings(
  spec: KnockSpec,
  options: CheckOptions = {},
): Promise<readonly Warning[]> {
  const { nft, call } = resolve(options, 'findWarnings')
  return gatherWarnings(validateSpec(spec, call.operation), nft, options, call)
}

/** The one place where warnings are gathered, and refused with `strict`: a new source of them is a line here. */
async function gatherWarnings(
  spec: ValidSpec,
  nft: Nft,
  { strict = false, warnings: given = [] }: CheckOptions,
  { operation }: Call,
): Promise<readonly Warning[]> {
  const warnings = [...given, ...(await hostWarnings(spec, nft.netns, operation))]
  if (strict && warnings.length > 0) throw new StrictError(operation, warnings)
  return warnings
}

function readTrial(value: string | number | undefined, operation: string): number | 'ended' {
  const seconds = value === undefined ? 'ended' : parseDuration(value)
  if (seconds !== undefined) return seconds
  const got = JSON.stringify(value)
  throw new ArgumentError(`${operation}: confirmWithin: expected ${EXPECTED_DURATION}, got ${got}`)
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
  const serial = await listSerial(nft, table, call)
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
  if (commands.length === 0) return
  try {
    await nft.apply({ nftables: [...renderNext(table, serial), ...commands] }, call)
  } catch (error) {
    throw isNotFound(error) ? refuse('changed by others at this moment') : error
  }
}

/** As the spec's schema has it. */
const TABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,31}$/

/**
 * Finds a table that stands, also from another process; the spec is not needed. The end of `await using` ends the handle's
 * watches, and leaves the table as it is.
 *
 * @throws ArgumentError where the name is none that a spec's table can have.
 * @throws NftError `not-found` where there is none that knocklib made.
 */
export async function attachKnock(options: AttachOptions = {}): Promise<Knock> {
  const { table, nft, call } = placeOf(options, 'attachKnock')
  const [version, comments] = await Promise.all([nft.version(call), listAbout(nft, table, call)])
  requireVersion(version, call.operation)
  const about = comments && parseAbout(comments)
  if (!about) {
    const reason = unreadable(comments)
    throw new NftError('not-found', `${call.operation}: table inet ${table}: ${reason}`)
  }
  const elements = chooseElements(nft, options)
  return new Knock(table, about, nft, { signal: options.signal, elements })
}

/** The table that a call is about. @throws ArgumentError if the name is none that a spec's table can have. */
function placeOf(options: AttachOptions, operation: string) {
  const { table = 'knock' } = options
  if (!TABLE_NAME.test(table) || isKeyword(table)) {
    const expected = 'a name of 1 to 32 letters, digits and _ that is not a word of nft'
    const got = JSON.stringify(table)
    throw new ArgumentError(`${operation}: table: expected ${expected}, got ${got}`)
  }
  return { table, ...resolve(options, operation) }
}

/**
 * Removes a table that knocklib made, of whatever version: `attachKnock` reads the tables of its own version alone. Its
 * services are open to everyone afterwards.
 *
 * @throws NftError `not-found` if there is no such table, or knocklib did not make it.
 */
export async function uninstallKnock(options: AttachOptions = {}): Promise<void> {
  const { table, nft, call } = placeOf(options, 'uninstallKnock')
  await requireOurs(nft, table, call)
  await removeAny(nft, table, call)
}

/**
 * Confirms a table that knocklib made, of whatever version, as `Knock.confirm` does.
 *
 * @throws NftError `not-found` if there is no such table, knocklib did not make it, or nothing awaits to be confirmed;
 * `timed-out` if the doors have fallen open.
 */
export async function confirmKnock(options: AttachOptions = {}): Promise<void> {
  const { table, nft, call } = placeOf(options, 'confirmKnock')
  await requireOurs(nft, table, call)
  await confirmTable(nft, table, call)
}

async function requireOurs(nft: Nft, table: string, call: Call): Promise<void> {
  const comments = await listAbout(nft, table, call)
  if (isOurs(comments)) return
  throw new NftError('not-found', `${call.operation}: table inet ${table}: ${unreadable(comments)}`)
}

/**
 * Validates a spec and asks nft whether it would take the ruleset; changes nothing. Needs CAP_NET_ADMIN like
 * `installKnock`: nft reads the kernel's ruleset also when it only checks.
 *
 * @throws SpecError with every problem of the spec.
 * @throws StrictError with `strict`, where there are warnings.
 * @throws NftError
 */
export async function checkKnock(
  spec: KnockSpec,
  options: CheckOptions = {},
): Promise<CheckReport> {
  const { nft, call } = resolve(options, 'checkKnock')
  const valid = validateSpec(spec, call.operation)
  const automaton = buildAutomaton(valid)
  const warnings = await gatherWarnings(valid, nft, options, call)
  const version = await nft.version(call)
  requireVersion(version, call.operation)
  requireFeatures(automaton, version, call.operation)
  await nft.check(renderRuleset(automaton), call)
  return { warnings }
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
 * Renders a spec as text that `nft -f` reads: a whole table, to be included beside others and never within one. Pure, no root.
 *
 * @throws SpecError with every problem of the spec.
 */
export function renderKnockText(spec: KnockSpec, { keep = false }: TextOptions = {}): string {
  return keep ? renderKeepingText(renderKnock(spec)) : renderText(renderKnock(spec))
}

function resolve(options: KernelOptions, operation: string): { nft: Nft; call: Call } {
  const { nft, signal } = options
  return {
    nft: typeof nft === 'object' ? nft : createNft(nft === undefined ? {} : { binary: nft }),
    call: { operation, ...(signal && { signal }) },
  }
}
