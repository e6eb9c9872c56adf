// A profile → what a script does, packet by packet, for any language. Pure.
import { type ClientKnock, planKnock } from '../../automaton/kinds/client-kinds.js'
import type { Shot } from '../../automaton/language/client-kind.js'
import { readProfile } from '../../client/profile.js'
import { ArgumentError } from '../../errors.js'
import { portsSeed, tokenSeed } from '../../spec/derive/derivation.js'
import type { KnockProfile } from '../../spec/generated/client-types.js'
import type { Step } from '../../spec/model/packet-model.js'
import { SYN } from '../../spec/model/step.js'

type Kind<Name extends ClientKnock['kind']> = Extract<ClientKnock, { kind: Name }>

/** A packet that is written down, and the milliseconds before it. */
export interface ScriptPacket {
  readonly protocol: Step['protocol']
  /** Of TCP and UDP. */
  readonly port: number
  /** Bytes of payload, and whether the knock asks for so many. */
  readonly length: number
  readonly isSized: boolean
  readonly pause: number
}

/** What a script derives from a secret and the time. */
export interface Derived<Knock> {
  readonly knock: Knock
  /** The text before the number of the period. */
  readonly seed: string
  readonly secretFile: string
  /** Seconds. */
  readonly period: number
}

export interface ScriptPlan {
  readonly knock: ClientKnock
  readonly host: string
  readonly door: string | undefined
  /** The service's TCP port. */
  readonly port: number | undefined
  /** Milliseconds between two packets of a sequence. */
  readonly gap: number
  /** Exactly one of the three is given. */
  readonly packets?: readonly ScriptPacket[]
  readonly token?: Derived<Kind<'token'>>
  readonly rotation?: Derived<Kind<'rotate'>>
  /** Milliseconds from the last packet after which a connection is in time. */
  readonly rest: number
}

/**
 * Milliseconds between two packets of a sequence unless the profile says otherwise: a program has
 * to be started for each, and must not be overtaken by the next.
 */
const GAP = 300
/** What one takes to leave. */
export const REST = 300

/**
 * Reads one door of a profile as a script's plan.
 *
 * @param format - the format's name, for errors.
 * @param usualGap - milliseconds, unless the profile has a gap.
 * @throws ProfileError with every problem of the profile, or if a door must be named.
 * @throws ArgumentError if the profile names no host, or no script can do such a knock.
 */
export async function planScript(
  profile: KnockProfile,
  door: string | undefined,
  format: string,
  usualGap = GAP,
): Promise<ScriptPlan> {
  const names = Object.keys(profile.doors ?? {})
  if (door === undefined && names.length > 1) {
    throw refusal(format, `one door (--door ${names.join(' or ')})`, `${names.length} doors`)
  }
  const valid = await readProfile(profile, `profile: --format ${format}`, door)
  const { knock, host, port, gap = usualGap } = valid
  if (host === undefined) throw refusal(format, 'a host in the profile', 'none')
  const place = { knock, host, door: valid.door, port, gap, rest: REST }
  switch (knock.kind) {
    case 'token':
      return { ...place, token: derived(knock, tokenSeed(knock.door, 0), knock.period, format) }
    case 'rotate':
      return { ...place, rotation: derived(knock, portsSeed(knock.door, 0), knock.every, format) }
    case 'oneTime':
      throw refusal(
        format,
        'a knock that can be sent again',
        'one-time sequences; knocklib knock takes each out of its file (--format json)',
      )
    default:
      return { ...place, ...(await packetsOf(knock, gap, format)) }
  }
}

export const refusal = (format: string, expected: string, got: string): ArgumentError =>
  new ArgumentError(`profile: --format ${format}: expected ${expected}, got ${got}`)

function derived<Knock extends Kind<'token'> | Kind<'rotate'>>(
  knock: Knock,
  seed: string,
  period: number,
  format: string,
): Derived<Knock> {
  const { secretFile } = knock
  if (secretFile === undefined) {
    throw refusal(format, 'a secret in a file (secretFile)', 'one in the profile')
  }
  return { knock, seed: seed.replace(/0$/, ''), secretFile, period }
}

async function packetsOf(
  knock: ClientKnock,
  gap: number,
  format: string,
): Promise<Pick<ScriptPlan, 'packets' | 'rest'>> {
  const { shots, ready } = await planKnock(knock, { now: 0, gap, family: 4, id: '' })
  let [before, due] = [0, 0]
  const packets = shots.map((shot, index) => {
    due = shot.at ?? (index === 0 ? 0 : before + gap)
    const packet = { ...packetOf(shot, format), pause: due - before }
    before = due
    return packet
  })
  return { packets, rest: Math.max(ready - due, REST) }
}

/** Bytes of payload that nobody asked for: an empty datagram is hard to send. */
const USUAL_LENGTH = { udp: 1, icmp: 56, icmpv6: 56, tcp: 0 }

function packetOf({ step }: Shot, format: string): Omit<ScriptPacket, 'pause'> {
  const { protocol, port = 0, flags } = step
  const length = step.length ?? USUAL_LENGTH[protocol]
  if (flags && (SYN.value & flags.mask) !== flags.value) {
    throw refusal(format, "a plain SYN's flags", `flags of their own at tcp/${port}`)
  }
  if (protocol === 'udp' && length === 0) {
    throw refusal(format, 'a datagram with a payload', `an empty one to udp/${port}`)
  }
  return { protocol, port, length, isSized: step.length !== undefined }
}
