// A profile → its knock on the wire, packet by packet, each in its time. Touches the network.
import { extname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ClientKnock, clientKindOf, planKnock } from '../automaton/kinds/client-kinds.js'
import type { Plan } from '../automaton/language/client-kind.js'
import { ArgumentError, CapabilityError } from '../errors.js'
import { readSecret } from '../files/secrets.js'
import { readDocument } from '../files/spec-file.js'
import type { KnockProfile } from '../spec/generated/client-types.js'
import type { Address } from '../spec/model/address.js'
import type { Family, Step } from '../spec/model/model.js'
import { formatStep, SYN } from '../spec/model/step.js'
import { readProfile, type ValidProfile } from './profile.js'
import { resolveHost } from './resolve.js'

const OPERATION = 'sendKnock'

export interface SendOptions {
  /**
   * The pause between two packets of a sequence: milliseconds, or `"100ms"`, `"2s"`. Default: the
   * profile's, or 100 ms. Networks don't keep the order of packets that are close.
   */
  readonly gap?: string | number
  /** Default: that of the host's first address. */
  readonly family?: Family
  readonly signal?: AbortSignal
}

/** What was sent, without its secrets. */
export interface SentKnock {
  /** Which of the profile's kinds it was. */
  readonly kind: Exclude<keyof KnockProfile, '$schema' | 'gap'>
  readonly packets: number
  /** Of one-time sequences: how many the file has still. */
  readonly left?: number
}

/**
 * Sends a knock. Nothing comes back from a door, so nothing says whether it opened; but when this
 * resolves a connection is in time. A TCP step is one SYN from a source port of its own: no
 * connection is left behind, and none is completed unless the port is open. A rotating sequence
 * that would not end in its period waits for the next. Of one-time sequences the first is sent,
 * after it was taken out of the file: a sequence is never sent twice, also where sending fails.
 *
 * @param host a name or an address.
 * @param profile what to send, or the path of the JSON or YAML file that says it; one-time
 * sequences are a JSON file's.
 * @throws ProfileError with every problem of the profile.
 * @throws DocumentError if the file is neither JSON nor YAML.
 * @throws ArgumentError if the gap is none, a file or a secret cannot be read, or no one-time
 * sequence is left.
 * @throws CapabilityError for TCP steps with flags of their own, and for icmp if `ping` is
 * missing.
 * @throws SendError if the host has no address, or the network refuses the packet.
 * @throws the signal's reason, before the next packet.
 */
export async function sendKnock(
  host: string,
  profile: KnockProfile | string,
  options: SendOptions = {},
): Promise<SentKnock> {
  const { signal } = options
  const file = typeof profile === 'string' ? profile : undefined
  const { knock, gap: own } = await readSource(profile)
  const gap = readGap(options.gap ?? own ?? 100)
  await requireSendable(knock, file)
  const secret = 'secretFile' in knock ? await readSecret(knock.secretFile, OPERATION) : undefined
  const address = await resolveAddress(host, knock, options.family)
  signal?.throwIfAborted()
  const { left, ...taken } = await take(knock, file)
  const plan = planKnock(taken.knock, { secret, now: Date.now() / 1000, gap })
  await carryOut(plan, address, gap, signal)
  return { kind: knock.kind, packets: plan.shots.length, ...(left !== undefined && { left }) }
}

async function readSource(profile: KnockProfile | string): Promise<ValidProfile> {
  if (typeof profile !== 'string') return readProfile(profile, OPERATION)
  return readProfile(await readDocument(profile, OPERATION), `${OPERATION}: ${profile}`)
}

/** Refuses what cannot be sent, before a packet is, and before a sequence is taken. */
async function requireSendable(knock: ClientKnock, file: string | undefined): Promise<void> {
  for (const step of stepsOf(knock)) refuseFlags(step, knock.kind === 'oneTime')
  if (knock.kind !== 'oneTime') return
  if (file === undefined) {
    const expected = 'the path of the file that has the one-time sequences, to take the first out'
    throw new ArgumentError(`${OPERATION}: expected ${expected}, got a profile`)
  }
  if (['.yaml', '.yml'].includes(extname(file))) {
    const expected = 'JSON, since the file is written again without the sequence that is sent'
    throw new ArgumentError(`${OPERATION}: ${file}: /oneTime: expected ${expected}, got YAML`)
  }
  const { noneLeft } = await import('./one-time.js')
  if (knock.sequences.length === 0) throw noneLeft(file, OPERATION)
}

async function take(
  knock: ClientKnock,
  file: string | undefined,
): Promise<{ knock: ClientKnock; left?: number }> {
  if (knock.kind !== 'oneTime' || file === undefined) return { knock }
  const { takeSequence } = await import('./one-time.js')
  const { steps, left } = await takeSequence(file, OPERATION)
  return { knock: { kind: 'oneTime', sequences: [steps] }, left }
}

/** Those that are written down. */
const stepsOf = (knock: ClientKnock): readonly Step[] => clientKindOf(knock).stepsOf?.(knock) ?? []

function resolveAddress(
  host: string,
  knock: ClientKnock,
  family: Family | undefined,
): Promise<Address> {
  const needsIpv6 = stepsOf(knock).some(({ protocol }) => protocol === 'icmpv6')
  return resolveHost(host, family, needsIpv6)
}

function refuseFlags({ flags, ...step }: Step, isSecret: boolean): void {
  if (!flags || (SYN.value & flags.mask) === flags.value) return
  const missing = `${isSecret ? 'a step' : formatStep(step)} with flags other than a plain SYN's`
  throw new CapabilityError(OPERATION, missing, 'needs raw sockets; hping3 sends such packets')
}

function readGap(gap: string | number): number {
  const match = typeof gap === 'string' ? /^(\d{1,6})(ms|s)$/.exec(gap) : null
  const milliseconds = match ? Number(match[1]) * (match[2] === 's' ? 1000 : 1) : gap
  if (typeof milliseconds === 'number' && milliseconds >= 0 && milliseconds <= 3_600_000) {
    return milliseconds
  }
  throw new ArgumentError(
    `${OPERATION}: expected a gap such as "100ms" or "2s", at most an hour, got ` +
      `${JSON.stringify(gap)}`,
  )
}

async function carryOut(
  { delay, shots, ready }: Plan,
  address: Address,
  gap: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  // Most who import knocklib send nothing: the sockets are loaded by those who do.
  const { sendShot } = await import('./packet.js')
  await pause(delay, signal)
  const began = performance.now()
  const underWay: Promise<void>[] = []
  for (const [index, shot] of shots.entries()) {
    if (shot.at === undefined) {
      await pause(index > 0 ? gap : 0, signal)
      await sendShot(shot, address)
    } else {
      await pause(began + shot.at - performance.now(), signal)
      const sending = sendShot(shot, address)
      // Thrown below: the others keep their times.
      sending.catch(() => {})
      underWay.push(sending)
    }
  }
  await Promise.all(underWay)
  await pause(began + ready - performance.now(), signal)
}

/** The longest that a timer can wait. */
const LONGEST_TIMER = 2 ** 31 - 1

async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  for (let left = milliseconds; left > 0 && !signal?.aborted; left -= LONGEST_TIMER) {
    // An abort wakes it up; what follows says why.
    await sleep(Math.min(left, LONGEST_TIMER), undefined, signal && { signal }).catch(() => {})
  }
  signal?.throwIfAborted()
}
