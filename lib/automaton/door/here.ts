// A door → the matches of packets that come in at its interfaces and go to its addresses. Pure.
import type { ValidDoor } from '../../spec/model/model.js'
import { type Match, RETURN, type Rule } from '../language/automaton.js'

type Place = Pick<ValidDoor, 'interfaces' | 'addresses'>

/** Matches packets that come in at the door's interfaces; empty if it names none. */
export const onInterfaces = ({ interfaces: names }: Pick<Place, 'interfaces'>): Match[] =>
  names.length > 0 ? [{ kind: 'interface', names }] : []

/** Matches packets to the door's addresses, at its interfaces; empty if it names neither. */
export const atDoor = ({ interfaces, addresses }: Place): Match[] => [
  ...onInterfaces({ interfaces }),
  ...(addresses.length > 0 ? [{ kind: 'destination', addresses } as const] : []),
]

/** The rules by which a packet leaves the door's chain if it came in at another interface. */
export const unlessOnInterfaces = (
  { interfaces: names }: Pick<Place, 'interfaces'>,
  comment: string,
): Rule[] =>
  names.length > 0
    ? [{ when: [{ kind: 'interface', names, not: true }], verdict: RETURN, comment }]
    : []

/** The same, also if it goes to another address. */
export const unlessAtDoor = ({ interfaces, addresses }: Place, comment: string): Rule[] => [
  ...unlessOnInterfaces({ interfaces }, comment),
  ...(addresses.length > 0
    ? [{ when: [{ kind: 'destination', addresses, not: true } as const], verdict: RETURN, comment }]
    : []),
]
