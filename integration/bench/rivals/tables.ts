// Rulesets of nft that are no table of knocklib: none, a plain firewall, the least rules by hand.
import { apply, CABLE } from '../../machine/namespaces.js'
import type { Rival } from '../rounds.js'

const script = (text: string): Rival['install'] => {
  return async (server) => {
    await apply(server, text)
    return undefined
  }
}

const tableOf = (body: string): string => `table inet other {\n${body}\n}`

/** Lets a rival be set up before the rule that drops whatever it lets pass. */
export const thenDropped = (rival: Rival): Rival => ({
  ...rival,
  async install(server) {
    const own = await rival.install(server)
    await apply(
      server,
      'table inet tail {\n chain in { type filter hook input priority 100\n drop\n }\n}',
    )
    return own
  },
})

/** Drops everything as early as nft can. Such a drop costs next to nothing. */
export const GENERATOR: Rival = {
  name: 'the generator alone',
  install: script(
    tableOf(`chain in { type filter hook ingress device "${CABLE}" priority -500\n drop\n }`),
  ),
}

export const NO_TABLE: Rival = { name: 'no table', install: async () => undefined }

/** A stateful firewall that knows no knocks. */
export const PLAIN: Rival = {
  name: 'plain firewall',
  install: script(
    tableOf(`chain in { type filter hook input priority -10
      ct state established,related accept
    }`),
  ),
}

const SETS = `
  set first { type ipv4_addr; size 262144; flags dynamic,timeout; timeout 5s; }
  set second { type ipv4_addr; size 262144; flags dynamic,timeout; timeout 5s; }
  set grants { type ipv4_addr; size 262144; flags dynamic,timeout; timeout 30s; }
  set knocks { type inet_service; elements = { 7000, 8000, 9000 }; }
  chain knock {
    tcp dport 9000 ip saddr @second update @grants { ip saddr }
    tcp dport 8000 ip saddr @first update @second { ip saddr }
    tcp dport 7000 update @first { ip saddr }
    drop
  }`

/** One door as one would write it by hand for IPv4, with conntrack. */
export const STATEFUL_BY_HAND: Rival = {
  name: 'one door by hand',
  install: script(
    tableOf(`${SETS}
      chain in { type filter hook input priority -10
        ct state established,related accept
        tcp dport @knocks jump knock
        tcp dport 22 ip saddr @grants accept
        tcp dport 22 drop
      }`),
  ),
}

const HOOKS = {
  input: 'input priority 0',
  prerouting: 'prerouting priority -300',
  ingress: `ingress device "${CABLE}" priority -10`,
} as const

export type Hook = keyof typeof HOOKS

/**
 * The least rules that refuse all TCP without a grant. They ask for a SYN (at `input` for a new
 * connection), the ports of knocks, and the grants of both families, and count the rest.
 */
export const closedByHand = (hook: Hook): Rival => ({
  name: `by hand at ${hook}`,
  install: script(
    tableOf(`counter refused {}
      set grants4 { type ipv4_addr; size 262144; flags dynamic,timeout; timeout 30s; }
      set grants6 { type ipv6_addr; size 262144; flags dynamic,timeout; timeout 30s; }
      set knocks { type inet_service; elements = { 7000, 8000, 9000 }; }
      chain in { type filter hook ${HOOKS[hook]}
        ${hook === 'input' ? 'ct state established,related accept' : ''}
        tcp flags & (syn | ack) != syn accept
        th dport @knocks drop
        ip saddr @grants4 accept
        ip6 saddr @grants6 accept
        counter name refused drop
      }`),
  ),
})

/** The plain firewall that refuses whatever is not established. */
export const CLOSED_PLAIN: Rival = {
  name: 'plain firewall',
  install: script(
    tableOf(`chain in { type filter hook input priority 0
      ct state established,related accept
      drop
    }`),
  ),
}
