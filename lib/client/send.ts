// Steps → packets on the wire, one for each step, with a gap between them. Touches the network.
import { setTimeout as sleep } from 'node:timers/promises'
import { ArgumentError, CapabilityError, SendError } from '../errors.js'
import { type Address, parseAddress } from '../spec/address.js'
import type { StepObject } from '../spec/generated/knock-types.js'
import type { Family, Step } from '../spec/model.js'
import { formatStep, SYN } from '../spec/step.js'
import { readClientStep } from './step.js'

export interface KnockProfile {
  readonly steps: readonly (string | number | StepObject)[]
}

export interface SendOptions {
  /** The pause between two knocks: milliseconds, or `"100ms"`, `"2s"`. Default: 100 ms. Networks don't keep the order of packets that are close. */
  readonly gap?: string | number
  /** Default: that of the host's first address. */
  readonly family?: Family
  readonly signal?: AbortSignal
}

/**
 * Sends a knock: one packet for each step, in order. Nothing comes back from a door, so nothing says whether it opened.
 * A TCP step is one SYN from a source port of its own: no connection is left behind, and none is completed unless the
 * port is open.
 *
 * @param host a name or an address.
 * @throws ArgumentError where a step or the gap is none.
 * @throws CapabilityError for TCP steps with flags of their own, and for icmp where `ping` is missing.
 * @throws SendError where the host has no address, or the network refuses the packet.
 * @throws the signal's reason, before the next packet.
 */
export async function sendKnock(
  host: string,
  profile: KnockProfile,
  options: SendOptions = {},
): Promise<void> {
  const steps = profile.steps.map(readClientStep)
  if (steps.length === 0) throw new ArgumentError('sendKnock: expected at least one step, got none')
  const gap = readGap(options.gap ?? 100)
  for (const step of steps) refuseFlags(step)
  const address = await resolveHost(host, options.family ?? (needsIpv6(steps) ? 6 : undefined))
  if (address.family === 4 && needsIpv6(steps)) {
    throw new SendError(`sendKnock: ${host}: not an IPv6 address, which icmpv6 needs`)
  }
  const interruptible = options.signal && { signal: options.signal }
  // Most who import knocklib send nothing: the sockets are loaded by those who do.
  const { sendStep } = await import('./packet.js')
  for (const [index, step] of steps.entries()) {
    const pause = index > 0 ? gap : 0
    // An abort wakes it up, and the next line says why.
    if (pause > 0) await sleep(pause, undefined, interruptible).catch(() => {})
    options.signal?.throwIfAborted()
    await sendStep(step, address)
  }
}

const needsIpv6 = (steps: readonly Step[]): boolean =>
  steps.some(({ protocol }) => protocol === 'icmpv6')

function refuseFlags({ flags, ...step }: Step): void {
  if (!flags || (SYN.value & flags.mask) === flags.value) return
  const missing = `${formatStep(step)} with flags other than a plain SYN's`
  throw new CapabilityError('sendKnock', missing, 'needs raw sockets; hping3 sends such packets')
}

function readGap(gap: string | number): number {
  const match = typeof gap === 'string' ? /^(\d{1,6})(ms|s)$/.exec(gap) : null
  const milliseconds = match ? Number(match[1]) * (match[2] === 's' ? 1000 : 1) : gap
  if (typeof milliseconds === 'number' && milliseconds >= 0 && milliseconds <= 3_600_000) {
    return milliseconds
  }
  throw new ArgumentError(
    `sendKnock: expected a gap such as "100ms" or "2s", at most an hour, got ${JSON.stringify(gap)}`,
  )
}

async function resolveHost(host: string, family: Family | undefined): Promise<Address> {
  const address = parseAddress(host)
  const kind = family === undefined ? 'address' : `IPv${family} address`
  if (address) {
    if ((family ?? address.family) === address.family) return address
    throw new SendError(`sendKnock: ${host}: not an ${kind}`)
  }
  try {
    const { lookup } = await import('node:dns/promises')
    const found = await lookup(host, { family: family ?? 0 })
    return { address: found.address, family: found.family === 6 ? 6 : 4 }
  } catch (cause) {
    throw new SendError(`sendKnock: ${host}: no ${kind} found`, { cause })
  }
}
