// A spec → its table in the kernel; or, of a check, its warnings. Wiring only.
import { buildAutomaton } from '../automaton/build.js'
import { ArgumentError, StrictError, type Warning } from '../errors.js'
import { hostWarnings } from '../host/warnings.js'
import { chooseElements } from '../kernel/netlink/chosen.js'
import type { Nft } from '../kernel/nft.js'
import { requireFeatures, requireVersion } from '../kernel/process/capability.js'
import { digestDoors, digestOf } from '../nft/about.js'
import { renderRuleset } from '../nft/render/render.js'
import type { KnockState } from '../spec/generated/state-types.js'
import { EXPECTED_DURATION, parseDuration } from '../spec/model/duration.js'
import type { ValidSpec } from '../spec/model/model.js'
import { requireTable, validateState } from '../spec/read-state.js'
import { requireValid, type SpecInput } from '../spec/validate.js'
import type { Call } from '../table/installation.js'
import { removeOwn } from '../table/remove.js'
import { type KernelOptions, resolveCall } from './call.js'
import { Knock } from './handle.js'
import { Installation } from './install.js'

export interface CheckOptions extends KernelOptions {
  /** Whether a warning is an error: then nothing is installed. Default: false. */
  readonly strict?: boolean | undefined
  /**
   * Warnings of the caller's own, such as of the spec's file: they come first in `warnings`, and
   * count for `strict`.
   */
  readonly warnings?: readonly Warning[] | undefined
}

/** What `checkKnock` found of a spec that nft takes. */
export interface CheckReport {
  readonly warnings: readonly Warning[]
}

export interface InstallOptions extends CheckOptions {
  /**
   * How long the doors stay without being confirmed, as in the spec or in seconds. Unless `confirm`
   * is called in that time the kernel lets them fall open by itself: every packet passes as if
   * there were no table, whether this process lives or not. Default: they need no confirmation.
   */
  readonly confirmWithin?: string | number | undefined
  /**
   * What a table held before, as `knock.save()` or `loadState()` returns it: put into the table in
   * the same transaction, so that it holds from the first packet on. Where the table stands
   * already, it knows better who is let in and who is banned: then only what has been used is taken
   * of it.
   */
  readonly state?: KnockState | undefined
}

/**
 * Installs a spec's table in one transaction: all of it stands, or nothing has changed. The same
 * spec again changes nothing but that tokens and rotating sequences are loaded ahead anew. Another
 * spec changes the table in place: grants and counters stay with doors of the same name, attempts
 * with knocks that are the same, bans and strikes where the new spec bans; what has been used stays
 * used; established connections live on. A packet is judged by the old rules or the new ones.
 * Several processes may install at once: one comes after the other.
 *
 * What probably does not do what was meant is in the handle's `warnings`.
 *
 * ATTENTION: `await using knock = await installKnock(spec)` removes the table at the end of its
 * block, also if that ends with an error, and everyone is let in. A table of another spec that
 * somebody has installed meanwhile stays.
 *
 * @throws SpecError with every problem of the spec.
 * @throws StrictError with `strict`, if there are warnings.
 * @throws StateError with every problem of the state, or if it is that of another table.
 * @throws ArgumentError if a secret cannot be read, or `confirmWithin` is no duration.
 * @throws CapabilityError if the spec asks for what this nft does not know.
 * @throws NftError `already-exists` if a table of that name is not ours; `conflict` if others
 * changed it first again and again; otherwise what nft answered.
 */
export async function installKnock(spec: SpecInput, options: InstallOptions = {}): Promise<Knock> {
  const { nft, call } = resolveCall(options, 'installKnock')
  const valid = requireValid(spec, call.operation)
  const saved = options.state && validateState(options.state, call.operation)
  const state = saved && requireTable(saved, valid.table, call.operation)
  const pending = readConfirm(options.confirmWithin, call.operation)
  const installation = new Installation(valid, nft)
  const warnings = await gatherWarnings(valid, nft, options, call)
  const outcome = await installation.ensure(call, { state, pending })
  const { table, doors } = installation.automaton
  const digest = digestOf(installation.document)
  return new Knock(table, { doors, doorsDigest: digestDoors(doors) }, nft, {
    ...{ signal: options.signal, elements: chooseElements(nft, options), warnings },
    installed: { installation, outcome },
    atEnd: (end) => removeOwn(nft, table, digest, end),
  })
}

/**
 * Looks for what a valid spec probably does not do as it was meant, on this host. Changes nothing,
 * asks no nft to change or check anything, and needs no privilege.
 *
 * @throws SpecError with every problem of the spec.
 * @throws StrictError with `strict`, if there are warnings.
 */
export async function findWarnings(
  spec: SpecInput,
  options: CheckOptions = {},
): Promise<readonly Warning[]> {
  const { nft, call } = resolveCall(options, 'findWarnings')
  return gatherWarnings(requireValid(spec, call.operation), nft, options, call)
}

/**
 * The one place where warnings are gathered, and refused with `strict`: a new source of them is a
 * line here.
 */
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

function readConfirm(value: string | number | undefined, operation: string): number | 'ended' {
  const seconds = value === undefined ? 'ended' : parseDuration(value)
  if (seconds !== undefined) return seconds
  const got = JSON.stringify(value)
  throw new ArgumentError(`${operation}: confirmWithin: expected ${EXPECTED_DURATION}, got ${got}`)
}

/**
 * Validates a spec and asks nft whether it would take the ruleset; changes nothing. Needs
 * CAP_NET_ADMIN like `installKnock`: nft reads the kernel's ruleset also when it only checks.
 *
 * @throws SpecError with every problem of the spec.
 * @throws StrictError with `strict`, if there are warnings.
 * @throws NftError
 */
export async function checkKnock(
  spec: SpecInput,
  options: CheckOptions = {},
): Promise<CheckReport> {
  const { nft, call } = resolveCall(options, 'checkKnock')
  const valid = requireValid(spec, call.operation)
  const automaton = buildAutomaton(valid)
  const warnings = await gatherWarnings(valid, nft, options, call)
  const version = await nft.version(call)
  requireVersion(version, call.operation)
  requireFeatures(automaton, version, call.operation)
  await nft.check(renderRuleset(automaton), call)
  return { warnings }
}
