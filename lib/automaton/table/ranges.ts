// Ranges of ports → the rules that lead their packets to the chain that judges them. Pure.
//
// They are rules and not entries of a map: the kernel applies a change of concatenated ranges some
// hundred microseconds after the rules, and would let packets pass meanwhile. Rules change at once.
import { type Chain, type DispatchEntry, jump, onPort, type Rule } from '../language/automaton.js'

/** Up to this many rules are walked in a row. More are split into about √n chains of √n rules. */
const MOST_RULES = 32

export interface RangeRules {
  /** Rules of the base chains. */
  readonly rules: readonly Rule[]
  readonly chains: readonly Chain[]
}

export function rangeRules(ranges: readonly DispatchEntry[]): RangeRules {
  if (ranges.length <= MOST_RULES) return { rules: ranges.map(ruleOf), chains: [] }
  const size = Math.ceil(Math.sqrt(ranges.length))
  const groups = (['tcp', 'udp'] as const).flatMap((protocol) => {
    const own = ranges.filter((range) => range.protocol === protocol)
    own.sort((a, b) => a.ports.from - b.ports.from)
    return Array.from({ length: Math.ceil(own.length / size) }, (_, index) =>
      groupOf(protocol, own.slice(index * size, (index + 1) * size)),
    )
  })
  return {
    rules: groups.map(({ rule }) => rule),
    chains: groups.map(({ chain }) => chain),
  }
}

function ruleOf({ protocol, ports, verdict }: DispatchEntry): Rule {
  const comment = `${protocol}/${ports.from}-${ports.to}`
  return { when: [onPort(protocol, ports)], verdict, comment }
}

/** A chain for some ranges, and the rule that leads to it from the first port to the last. */
function groupOf(protocol: 'tcp' | 'udp', ranges: readonly DispatchEntry[]) {
  const from = Math.min(...ranges.map(({ ports }) => ports.from))
  const to = Math.max(...ranges.map(({ ports }) => ports.to))
  const name = `ranges_${protocol}_${from}_${to}`
  const rule = ruleOf({ protocol, ports: { from, to }, verdict: jump(name) })
  return { rule, chain: { name, rules: ranges.map(ruleOf) } }
}
