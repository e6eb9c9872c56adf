// Chains whose rules name an event → the same with chains that log it at a bounded rate. Pure.
import type { ValidLog } from '../../spec/model/model.js'
import {
  type Chain,
  count,
  goTo,
  type Match,
  RETURN,
  type Rule,
  type Verdict,
} from './automaton.js'
import { type Logged, renderPrefix } from './log-prefix.js'
import { UNLOGGED_COUNTER } from './names.js'

/**
 * Sends the packets of each rule with an event to a chain that logs it and then has the rule's
 * verdict. The rate bounds the log and never changes the verdict. Rules with the same event and
 * verdict share the chain. Without `log` the events are dropped.
 */
export function logAll(
  chains: readonly Chain[],
  { table, log }: { readonly table: string; readonly log?: ValidLog },
): Chain[] {
  const logged = new Map<string, Chain>()
  const lead = (rule: Rule): Rule => {
    if (!rule.logs) return rule
    const { logs, ...rest } = rule
    if (!log) return rest
    const { verdict = RETURN } = rule
    const chain = logChain(renderPrefix(table, logs), logs, verdict, log)
    logged.set(chain.name, chain)
    return { ...rest, verdict: goTo(chain.name) }
  }
  const led = chains.map((chain) => ({ ...chain, rules: chain.rules.map(lead) }))
  return [...led, ...logged.values()]
}

/** The counters of a table with a log; none without one. */
export const logCounters = (log: ValidLog | undefined): string[] => (log ? [UNLOGGED_COUNTER] : [])

/** Both rules have the same verdict, so above the rate only the log is missing. */
function logChain(prefix: string, logged: Logged, verdict: Verdict, log: ValidLog): Chain {
  const { group, rate, deniedRate } = log
  const isAnybodys = logged.event === 'denied' || logged.event === 'wrong'
  // nft itself would add this match before a reset. Written here, the rules are listed as they were
  // written.
  const of: Match[] = verdict.kind === 'reset' ? [{ kind: 'protocol', protocols: ['tcp'] }] : []
  const comment = (purpose: string) => `${logged.door ?? '/guard/ban'} ${logged.event} ${purpose}`
  return {
    name: logChainName(logged, verdict),
    rules: [
      {
        when: [...of, { kind: 'within-rate', rate: isAnybodys ? deniedRate : rate }],
        then: [{ op: 'log', group, prefix }],
        verdict,
        comment: comment('logged'),
      },
      {
        when: of,
        then: [count(UNLOGGED_COUNTER)],
        // At its end a chain returns by itself.
        ...(verdict.kind !== 'return' && { verdict }),
        comment: comment('unlogged'),
      },
    ],
  }
}

/**
 * Names the chain after all that it does. With another spec a chain of the same name then does the
 * same, also for packets that are on their way to it. The numbers are in the first word, so that no
 * two names are equal whatever the doors and users are called.
 */
function logChainName({ event, door, attempt, stage, user }: Logged, verdict: Verdict): string {
  const head = `log${stage ?? ''}${user === undefined ? '' : `u${user.length}`}`
  const end = verdict.kind === 'goto' ? verdict.chain : verdict.kind
  return [head, event, end, attempt, user, door].filter((word) => word !== undefined).join('_')
}
