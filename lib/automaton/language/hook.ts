// A hook → the base chains of the doors, and whether conntrack comes before them. Pure.
import type { Hook, ValidSpec } from '../../spec/model/model.js'
import { type Base, type Chain, jump, type Rule } from './automaton.js'

/**
 * Whether the hook is behind conntrack, which says which packets begin something. Before conntrack
 * only a SYN does.
 */
export const isStateful = (hook: Hook): boolean => hook === 'input' || hook === 'forward'

/**
 * Before the host's own filter chains at 0: they never see what a door drops, and judge what it
 * accepts. At prerouting before conntrack, which is at -200.
 */
const PRIORITY: Readonly<Record<Hook, number>> = {
  input: -10,
  forward: -10,
  prerouting: -300,
  ingress: -10,
}

/** Makes the base chains that have these rules: one, or at ingress one for each device. */
export function baseChains({ hook, interfaces }: ValidSpec, rules: readonly Rule[]): Chain[] {
  const base: Base = { type: 'filter', hook, priority: PRIORITY[hook] }
  if (hook !== 'ingress') return [{ name: hook, base, rules }]
  const [only, ...more] = interfaces
  // Saves a jump for each packet.
  if (only !== undefined && more.length === 0) {
    return [{ name: hook, base: { ...base, device: only }, rules }]
  }
  // nft 1.0.6's JSON supports only one device per chain.
  const enter: Rule = { when: [], verdict: jump(hook), comment: '/interfaces' }
  const devices = interfaces.map((device, index): Chain => {
    return { name: `${hook}${index + 1}`, base: { ...base, device }, rules: [enter] }
  })
  return [...devices, { name: hook, rules }]
}
