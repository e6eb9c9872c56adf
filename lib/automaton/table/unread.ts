// Doors → the chains that refuse IPv6 packets whose transport header cannot be found. Pure.
//
// Such a packet matches no rule of any port, and would pass. A host that reads further than this
// kernel would find the service behind it.
import type { ValidDoor } from '../../spec/model/model.js'
import type { Cidr } from '../../spec/model/packet-model.js'
import { onInterfaces } from '../door/here.js'
import {
  ACCEPT,
  type Chain,
  count,
  DROP,
  goTo,
  inSet,
  jump,
  notInSet,
  RETURN,
  type Rule,
} from '../language/automaton.js'
import { counterName, grantsSet, TRUSTED } from '../language/names.js'
import type { SharedDoor } from '../sharing/choose.js'
import { counted } from '../sharing/moves.js'
import { markOf } from '../sharing/names.js'

const UNREAD = 'unread'
const REFUSE = 'unread_source'

/** Multicast, which a host receives beside its own addresses (RFC 4291). */
const MULTICAST: Cidr = { family: 6, address: 'ff00::', prefixLength: 8 }

/** IPv6 alone: an IPv4 header always has the protocol, and a first fragment at least the ports. */
const families = [6] as const

/** The base chain's rules. They come after all rules that match ports, and before the resets. */
export const unreadRules = (doors: readonly ValidDoor[], shared: SharedDoor | undefined): Rule[] =>
  doors.some(canBeUnread) || shared
    ? [{ families, when: [], verdict: jump(UNREAD), comment: 'what may not have been read' }]
    : []

/**
 * Makes the chains. If fragments were judged before (`areFragmentsJudged`), their rule is left out.
 */
export function unreadChains(
  doors: readonly ValidDoor[],
  {
    hasTrusted,
    areFragmentsJudged,
    shared,
  }: {
    readonly hasTrusted: boolean
    readonly areFragmentsJudged: boolean
    readonly shared: SharedDoor | undefined
  },
): Chain[] {
  const concerned = doors.filter(canBeUnread)
  if (concerned.length === 0 && !shared) return []
  const rule = (when: Rule['when'], verdict: Rule['verdict'], comment: string): Rule => {
    return { families, when, ...(verdict && { verdict }), comment }
  }
  const fragment = rule([{ kind: 'piece', part: 'bare' }], goTo(REFUSE), 'a fragment of headers')
  const trusted = rule([inSet(TRUSTED)], ACCEPT, '/guard/trusted')
  return [
    {
      name: UNREAD,
      rules: [
        ...(areFragmentsJudged ? [] : [fragment]),
        rule([{ kind: 'transport-header' }], RETURN, 'was read'),
        rule([{ kind: 'no-more-headers' }], RETURN, 'nothing follows'),
        rule([], goTo(REFUSE), 'no transport header was found'),
      ],
    },
    {
      name: REFUSE,
      rules: [
        ...(hasTrusted ? [trusted] : []),
        ...concerned.map(refuse),
        ...(shared
          ? [refuseShared(shared), rule([], DROP, 'no room to count it')]
          : [rule([], ACCEPT, 'every door there lets its source in')]),
      ],
    },
  ]
}

/** Nobody has the grants of so many doors, so all are refused, in the name of the first. */
const refuseShared = ({ knocks: [first] }: SharedDoor): Rule => ({
  families,
  when: [],
  then: [{ op: 'mark', value: markOf(first?.number ?? 0, 0) }, counted('denied')],
  verdict: DROP,
  logs: { event: 'denied', shared: true },
  comment: 'shared doors: cannot be read',
})

/** Whether IPv6 packets can come to a door. */
const canBeUnread = ({ addresses }: ValidDoor): boolean =>
  addresses.length === 0 || addresses.some(({ family }) => family === 6)

/**
 * The rule of one door that refuses. A packet passes only if every door at its destination lets its
 * source in. A door that counts connections or redirects refuses it in any case.
 */
function refuse({ name, origin, interfaces, addresses, open }: ValidDoor): Rule {
  const mustRead = open.connections !== undefined || open.redirectTo !== undefined
  // The target of a redirect is closed at all of the host's addresses.
  const isAnywhere = addresses.length === 0 || open.redirectTo !== undefined
  return {
    families,
    when: [
      ...onInterfaces({ interfaces }),
      ...(isAnywhere
        ? []
        : [{ kind: 'destination', addresses: [...addresses, MULTICAST] } as const]),
      ...(mustRead ? [] : [notInSet(grantsSet(name))]),
    ],
    then: [count(counterName('denied', name))],
    verdict: DROP,
    logs: { event: 'denied', door: name },
    comment: `${name} ${origin}/service cannot be read`,
  }
}
