// A spec → its installed table and a handle; or its warnings, or nft's verdict, with nothing
// changed.
import { findMissingPrograms } from '../actions/programs.js'
import { buildAutomaton } from '../automaton/build.js'
import { ArgumentError, StrictError } from '../errors.js'
import { hostWarnings } from '../host/warnings.js'
import { chooseElements } from '../kernel/netlink/chosen.js'
import type { Nft } from '../kernel/nft.js'
import { requireFeatures, requireVersion } from '../kernel/process/capability.js'
import { digestOf } from '../nft/about.js'
import { renderRuleset } from '../nft/render/render.js'
import type { KnockState } from '../spec/generated/state-types.js'
import { EXPECTED_DURATION, parseDuration } from '../spec/model/duration.js'
import type { ValidSpec } from '../spec/model/model.js'
import { requireTable, validateState } from '../spec/read-state.js'
import { requireValid, type SpecInput } from '../spec/validate.js'
import type { Call } from '../table/installation.js'
import { removeOwn } from '../table/remove.js'
import { knownDoors } from '../table/standing-doors.js'
import type { Warning } from '../text/warning.js'
import { type KernelOptions, resolveCall } from './call.js'
import { Knock } from './handle.js'
import { Installation } from './install.js'

export interface CheckOptions extends KernelOptions {
  /** Whether warnings are errors: then nothing is installed. Default: false. */
  readonly strict?: boolean | undefined
  /**
   * Warnings that the caller found, for example in the spec's file. They come first in `warnings`
   * and count for `strict`.
   */
  readonly warnings?: readonly Warning[] | undefined
}

/** What `checkKnock` found in a spec that nft accepts. */
export interface CheckReport {
  readonly warnings: readonly Warning[]
}

export interface InstallOptions extends CheckOptions {
  /**
   * How long the doors stay without confirmation, as in the spec or in seconds. If `confirm` is not
   * called in that time, the kernel lets them fall open by itself: every packet passes as if there
   * were no table, even if this process is gone. Default: no confirmation is needed.
   */
  readonly confirmWithin?: string | number | undefined
  /**
   * What a table held before, as `knock.save()` or `loadState()` returns it. The same transaction
   * puts it into the table, so that it holds from the first packet on. If the table exists already,
   * it knows grants and bans better: then only what has been used is taken from the state.
   */
  readonly state?: KnockState | undefined
}

/**
 * Installs a spec's table in one transaction: all of it, or nothing changes. The same spec again
 * only loads tokens and rotating sequences ahead again. Another spec changes the table in place.
 * Doors of the same name keep grants and counters. Unchanged knocks keep their attempts. Bans and
 * strikes stay if the new spec bans. What has been used stays used, and established connections go
 * on. A packet is judged by the old rules or by the new ones. Installs by several processes follow
 * one after the other.
 *
 * The handle's `warnings` says what probably does not do what was meant.
 *
 * ATTENTION: `await using knock = await installKnock(spec)` removes the table at the end of its
 * block, even if the block ends with an error. Then everyone is let in. The table stays if somebody
 * has installed another spec meanwhile.
 *
 * @throws SpecError with every problem of the spec.
 * @throws StrictError with `strict`, if there are warnings.
 * @throws StateError with every problem of the state, or if it belongs to another table.
 * @throws ArgumentError if a secret cannot be read, or `confirmWithin` is no duration.
 * @throws CapabilityError if the spec needs what this nft does not know.
 * @throws NftError `already-exists` if a table of that name is not ours; `conflict` if others
 * changed it first in each try; otherwise what nft answered.
 */
export async function installKnock(spec: SpecInput, options: InstallOptions = {}): Promise<Knock> {
  const { nft, call } = resolveCall(options, 'installKnock')
  const valid = requireValid(spec, call.operation)
  const saved = options.state && validateState(options.state, call.operation)
  const state = saved && requireTable(saved, valid.table, call.operation)
  const pending = readConfirm(options.confirmWithin, call.operation)
  const elements = chooseElements(nft, options)
  const installation = new Installation(valid, nft, { elements })
  const warnings = await gatherWarnings(valid, nft, options, call)
  const outcome = await installation.ensure(call, { state, pending })
  const { table } = installation.automaton
  const digest = digestOf(installation.document)
  return new Knock(table, knownDoors(installation.automaton), nft, {
    ...{ signal: options.signal, elements, warnings },
    installed: { installation, outcome },
    atEnd: (end) => removeOwn(nft, table, digest, end),
  })
}

/**
 * Finds what a valid spec probably does not do as meant on this host. Changes nothing, does not ask
 * nft to check the ruleset, and needs no privilege.
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

/** The one place that gathers warnings and refuses them with `strict`. Add new sources here. */
async function gatherWarnings(
  spec: ValidSpec,
  nft: Nft,
  { strict = false, warnings: given = [] }: CheckOptions,
  { operation }: Call,
): Promise<readonly Warning[]> {
  // Without a kernel this is not the host that the spec is for.
  const programs = nft.netns === undefined ? [] : await findMissingPrograms(spec.actions)
  const warnings = [...given, ...programs, ...(await hostWarnings(spec, nft.netns, operation))]
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
 * Validates a spec and asks nft whether it would accept the ruleset. Changes nothing. Needs
 * CAP_NET_ADMIN as `installKnock` does: nft reads the kernel's ruleset even to check.
 *
 * @throws SpecError with every problem of the spec.
 * @throws StrictError with `strict`, if there are warnings.
 * @throws NftError with what nft answered.
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
