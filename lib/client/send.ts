// A profile → its knock on the wire, packet by packet, each in its time. Touches the network.
import { type ClientKnock, clientKindOf, planKnock } from '../automaton/kinds/client-kinds.js'
import { ArgumentError, CapabilityError, KnockError, SendError } from '../errors.js'
import { hexOf } from '../spec/derive/carrier.js'
import type { KnockProfile, ProfileDoor } from '../spec/generated/client-types.js'
import type { Address } from '../spec/model/address.js'
import { EXPECTED_GAP, parseGap } from '../spec/model/duration.js'
import type { Family, Step } from '../spec/model/packet-model.js'
import { formatStep, SYN } from '../spec/model/step.js'
import { carryOut, type Progress } from './carry-out.js'
import { readProfile, type ValidProfile } from './profile.js'
import { type System, systemOf } from './system/system.js'

export interface SendOptions {
  /** Which door of a profile that has several. */
  readonly door?: string | undefined
  /**
   * The time from one packet of a sequence to the next: milliseconds, or `"100ms"`, `"2s"`.
   * Default: the profile's, or 100 ms. Networks don't keep the order of packets that are close.
   */
  readonly gap?: string | number | undefined
  /** Default: both, as far as the host has addresses of them. */
  readonly family?: Family | undefined
  /** The address that packets leave from. */
  readonly source?: string | undefined
  /** The interface whose first address packets leave from. */
  readonly interface?: string | undefined
  readonly signal?: AbortSignal | undefined
  /** Called before each packet and after the last, for each address. */
  readonly onProgress?: ((progress: Progress) => void) | undefined
}

/** What was sent, without its secrets. */
export interface SentKnock {
  /** A name or an address, as it was given. */
  readonly host: string
  /** Which of the profile's kinds it was. */
  readonly kind: Exclude<keyof ProfileDoor, 'port' | 'for' | 'connections' | 'gap'>
  /** How many packets each address was sent. */
  readonly packets: number
  /** The addresses that were knocked at, in the resolver's order. */
  readonly addresses: readonly string[]
  /** Addresses of the host that could not be sent to, and why. */
  readonly failed?: readonly FailedAddress[]
  /** Of one-time sequences: how many the file has still. */
  readonly left?: number
}

export interface FailedAddress {
  readonly address: string
  readonly message: string
}

const OPERATION = 'sendKnock'

/**
 * Sends a knock to every address of a host, so that a connection over either family gets in. A door
 * gives no answer, so nothing says whether it opened (`openDoor` does); but when this resolves a
 * connection is in time. A TCP step is one SYN from a source port of its own: no connection is left
 * behind, and none is completed unless the port is open. A rotating sequence that would not end in
 * its period waits for the next. Of one-time sequences the first is sent, to the first address
 * alone, after it was taken out of the file: a sequence is never sent twice, even if sending fails.
 *
 * In a browser the host is an address, and the profile a token with the carrier `stun`.
 *
 * @param host - a name or an address; undefined: the profile's.
 * @param profile - what to send, or the path of the JSON or YAML file that says it; one-time
 * sequences are a JSON file's.
 * @throws ProfileError with every problem of the profile.
 * @throws DocumentError if the file is neither JSON nor YAML.
 * @throws ArgumentError if the gap is none, a file or a secret cannot be read, no host is named, or
 * no one-time sequence is left.
 * @throws CapabilityError for TCP steps with flags of their own, for icmp if `ping` is missing, and
 * for what a browser cannot send.
 * @throws SendError if the host has no address, or the network refuses the packets to all of them.
 * @throws the signal's reason, before the next packet.
 */
export async function sendKnock(
  host: string | undefined,
  profile: KnockProfile | string,
  options: SendOptions = {},
): Promise<SentKnock> {
  return sendPrepared(await prepareKnock(host, profile, options), options)
}

/** A knock that can be sent: what it needs was found. */
export interface PreparedKnock extends ValidProfile {
  readonly host: string
  readonly addresses: readonly Address[]
  /** The path of the profile, if it has one. */
  readonly file: string | undefined
  readonly secret: Uint8Array | undefined
  readonly milliseconds: number
  readonly system: System
}

/** Reads the profile, its secret and the host's addresses. Sends nothing, takes no sequence. */
export async function prepareKnock(
  host: string | undefined,
  source: KnockProfile | string,
  options: SendOptions,
): Promise<PreparedKnock> {
  const system = await systemOf(options, OPERATION)
  const file = typeof source === 'string' ? source : undefined
  const document = typeof source === 'string' ? await system.readDocument(source) : source
  const subject = file === undefined ? OPERATION : `${OPERATION}: ${file}`
  const profile = await readProfile(document, subject, options.door)
  const { knock } = profile
  const milliseconds = readGap(options.gap ?? profile.gap ?? 100)
  requireSendable(knock, file)
  const secret = await secretOf(knock, file, system)
  const named = host ?? profile.host
  if (named === undefined) {
    throw new ArgumentError(`${subject}: /host: expected a name or an address, got nothing`)
  }
  const families = familiesOf(knock, options.family)
  const given = host === undefined ? profile.addresses : undefined
  const known = given?.filter(({ family }) => families.includes(family))
  const found = known ?? (await system.resolve(named, families))
  if (found.length === 0) {
    throw new SendError(`${OPERATION}: ${named}: no IPv${families.join(' or IPv')} address`)
  }
  options.signal?.throwIfAborted()
  // A sequence that works once would be wrong at the second address.
  const addresses = knock.kind === 'oneTime' ? found.slice(0, 1) : found
  return { ...profile, host: named, addresses, file, secret, milliseconds, system }
}

/** Sends a knock that was prepared, as often as it is called. */
export async function sendPrepared(
  prepared: PreparedKnock,
  { signal, onProgress, door }: Pick<SendOptions, 'signal' | 'onProgress' | 'door'>,
): Promise<SentKnock> {
  const { addresses, secret, milliseconds: gap, system } = prepared
  const { knock, left } = await take(prepared, door)
  const now = Date.now() / 1000
  const id = hexOf(crypto.getRandomValues(new Uint8Array(12)))
  const send = async (address: Address): Promise<number> => {
    const plan = await planKnock(knock, { secret, now, gap, family: address.family, id })
    const sendShot = system.senderTo(address)
    await carryOut(plan, { gap, send: sendShot, signal, onProgress })
    return plan.shots.length
  }
  const results = await Promise.allSettled(addresses.map(send))
  signal?.throwIfAborted()
  const sent = results.find((result) => result.status === 'fulfilled')
  if (!sent) throw (results[0] as PromiseRejectedResult).reason
  const failed = results.flatMap((result, index) => {
    if (result.status === 'fulfilled') return []
    if (!(result.reason instanceof KnockError)) throw result.reason
    const { address } = addresses[index] as Address
    return [{ address, message: result.reason.message.replace(`${OPERATION}: `, '') }]
  })
  const reached = addresses.filter((_, index) => results[index]?.status === 'fulfilled')
  return {
    host: prepared.host,
    kind: knock.kind,
    packets: sent.value,
    addresses: reached.map(({ address }) => address),
    ...(failed.length > 0 && { failed }),
    ...(left !== undefined && { left }),
  }
}

/** Refuses what cannot be sent, before a packet is, and before a sequence is taken. */
function requireSendable(knock: ClientKnock, file: string | undefined): void {
  for (const step of stepsOf(knock)) refuseFlags(step, knock.kind === 'oneTime')
  if (knock.kind !== 'oneTime') return
  if (file === undefined) {
    const expected = 'the path of the file that has the one-time sequences, to take the first out'
    throw new ArgumentError(`${OPERATION}: expected ${expected}, got a profile`)
  }
  if (/\.ya?ml$/.test(file)) {
    const expected = 'JSON, since the file is written again without the sequence that is sent'
    throw new ArgumentError(`${OPERATION}: ${file}: /oneTime: expected ${expected}, got YAML`)
  }
  if (knock.sequences.length === 0) throw noneLeft(file)
}

const noneLeft = (file: string): ArgumentError =>
  new ArgumentError(`${OPERATION}: ${file}: /oneTime: no sequence is left; each has been sent`)

async function secretOf(
  knock: ClientKnock,
  file: string | undefined,
  system: System,
): Promise<Uint8Array | undefined> {
  if (!('door' in knock)) return undefined
  const { secret, secretFile } = knock
  if (secret !== undefined) return new TextEncoder().encode(secret)
  return secretFile === undefined ? undefined : system.readSecret(secretFile, file)
}

async function take(
  { knock, file, system }: PreparedKnock,
  door: string | undefined,
): Promise<{ knock: ClientKnock; left?: number }> {
  if (knock.kind !== 'oneTime' || file === undefined) return { knock }
  const read = async (document: unknown): Promise<readonly (readonly Step[])[]> => {
    const { knock } = await readProfile(document, `${OPERATION}: ${file}`, door)
    const sequences = knock.kind === 'oneTime' ? knock.sequences : []
    if (sequences.length === 0) throw noneLeft(file)
    return sequences
  }
  const { steps, left } = await system.takeSequence({ path: file, door, read })
  return { knock: { kind: 'oneTime', sequences: [steps] }, left }
}

/** Those that are written down. */
const stepsOf = (knock: ClientKnock): readonly Step[] => clientKindOf(knock).stepsOf?.(knock) ?? []

/** The families whose addresses are of use. */
function familiesOf(knock: ClientKnock, family: Family | undefined): readonly Family[] {
  const needsIpv6 = stepsOf(knock).some(({ protocol }) => protocol === 'icmpv6')
  if (!needsIpv6) return family === undefined ? [4, 6] : [family]
  if (family !== 4) return [6]
  throw new SendError(`${OPERATION}: icmpv6 needs an IPv6 address, and IPv4 is asked for`)
}

function refuseFlags({ flags, ...step }: Step, isSecret: boolean): void {
  if (!flags || (SYN.value & flags.mask) === flags.value) return
  const missing = `${isSecret ? 'a step' : formatStep(step)} with flags other than a plain SYN's`
  throw new CapabilityError(OPERATION, missing, 'needs raw sockets; hping3 sends such packets')
}

function readGap(gap: string | number): number {
  const milliseconds = parseGap(gap)
  if (milliseconds !== undefined) return milliseconds
  throw new ArgumentError(`${OPERATION}: expected ${EXPECTED_GAP}, got ${JSON.stringify(gap)}`)
}
