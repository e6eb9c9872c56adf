// A valid spec → what is as it says and easily believed to be otherwise, in plain words. Pure.
import type { ValidSpec } from './model.js'

/** A fact about a spec that is no fault. */
export interface Note {
  /** JSON Pointer into the spec. */
  readonly path: string
  readonly message: string
}

/** Says what `any` judges and what it does not. */
export function notesOf({ doors }: ValidSpec): Note[] {
  return doors
    .filter(({ services }) => services.some(({ protocol }) => protocol === 'any'))
    .map(({ name, origin }) => ({ path: `${origin}/service`, message: ofAny(name) }))
}

const ofAny = (name: string): string =>
  `"any" of ${name} judges TCP, UDP and echo requests (ping), and nothing else; every other protocol passes as it came, ` +
  'also from strangers: other ICMP and IGMP, IPIP, 6in4, GRE, ESP, AH, OSPF, VRRP, SCTP; to close one, name it in service: protocol/sctp'
