// Doors before ranges of ports → the rules that lead each port to its own door and to no other.
import t from 'tap'
import { type DispatchEntry, jump, type Rule, type Verdict } from '../language/automaton.js'
import { type RangeRules, rangeRules } from './ranges.js'

/** So many ranges of ten ports, a port apart, the last first; the protocols by turns. */
const rangesOf = (count: number): DispatchEntry[] =>
  Array.from({ length: count }, (_, index): DispatchEntry => {
    const from = 1000 + 11 * index
    const protocol = index % 3 === 0 ? 'udp' : 'tcp'
    return { protocol, ports: { from, to: from + 9 }, verdict: jump(`gate_${index}`) }
  }).reverse()

/** Where a packet goes, and how many rules it meets. */
function walk({ rules, chains }: RangeRules, protocol: 'tcp' | 'udp', port: number) {
  let met = 0
  const ask = (asked: readonly Rule[]): Verdict | undefined => {
    for (const { when, verdict } of asked) {
      met += 1
      const isMet = when.every(
        (match) =>
          match.kind === 'port' &&
          match.protocol === protocol &&
          match.ports.from <= port &&
          port <= match.ports.to,
      )
      if (!isMet || !verdict) continue
      const chain = chains.find(({ name }) => verdict.kind === 'jump' && name === verdict.chain)
      const found = chain ? ask(chain.rules) : verdict
      if (found) return found
    }
    return undefined
  }
  return { found: ask(rules), met }
}

for (const [count, most] of [
  [0, 0],
  [1, 1],
  [32, 32],
  [33, 14],
  [1000, 70],
] as const) {
  t.test(`${count} ranges: at most ${most} rules for a packet`, async (t) => {
    const ranges = rangesOf(count)
    const made = rangeRules(ranges)
    t.equal(made.chains.length > 0, count > 32, 'chains are made for more than 32 ranges')
    let longest = 0
    const go = (protocol: 'tcp' | 'udp', port: number) => {
      const { found, met } = walk(made, protocol, port)
      longest = Math.max(longest, met)
      return found
    }
    const wrong = ranges.filter(({ protocol, ports: { from, to }, verdict }) => {
      const other = protocol === 'tcp' ? 'udp' : 'tcp'
      return (
        go(protocol, from) !== verdict ||
        go(protocol, to) !== verdict ||
        go(protocol, from - 1) ||
        go(protocol, to + 1) ||
        go(other, from)
      )
    })
    t.same(wrong, [])
    t.ok(longest <= most, `the longest path has ${longest} rules`)
    t.equal(new Set(made.chains.map(({ name }) => name)).size, made.chains.length)
  })
}
