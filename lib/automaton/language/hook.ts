// A hook → where the doors' base chains stand in a packet's way, and what can be known of a packet
// there. Pure.
import type { Hook, ValidSpec } from '../../spec/model/model.js'
import { type Base, type Chain, jump, type Rule } from './automaton.js'

/** Behind conntrack: it says which packets begin something. Before it only a SYN does. */
export const isStateful = (hook: Hook): boolean => hook === 'input' || hook === 'forward'

/**
 * Before the host's own filter chains at 0: what a door drops they never see, what it accepts they
 * judge as ever. At prerouting before conntrack, which is at -200.
 */
const PRIORITY: Readonly<Record<Hook, number>> = {
  input: -10,
  forward: -10,
  prerouting: -300,
  ingress: -10,
}

/** The base chains that bring packets to these rules: one, but at ingress one for each device. */
export function baseChains({ hook, interfaces }: ValidSpec, rules: readonly Rule[]): Chain[] {
  const base: Base = { type: 'filter', hook, priority: PRIORITY[hook] }
  if (hook !== 'ingress') return [{ name: hook, base, rules }]
  const [only, ...more] = interfaces
  // A jump less for each packet.
  if (only !== undefined && more.length === 0) {
    return [{ name: hook, base: { ...base, device: only }, rules }]
  }
  // nft 1.0.6's JSON knows one device for a chain.
  const enter: Rule = { when: [], verdict: jump(hook), comment: '/interfaces' }
  const devices = interfaces.map((device, index): Chain => {
    return { name: `${hook}${index + 1}`, base: { ...base, device }, rules: [enter] }
  })
  return [...devices, { name: hook, rules }]
}
