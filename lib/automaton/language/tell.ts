// Chains whose rules say what they tell → the same with the chains that tell it, at a bounded rate. Pure.
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
import { UNTOLD_COUNTER } from './names.js'
import { renderTold, type Told } from './told.js'

/**
 * Leads each rule that tells something through a chain that tells it and then does what the rule did. The rate bounds
 * what is told and never what becomes of the packet. Rules that tell the same and end the same share the chain.
 */
export function tellAll(
  chains: readonly Chain[],
  { table, log }: { readonly table: string; readonly log?: ValidLog },
): Chain[] {
  const told = new Map<string, Chain>()
  const lead = (rule: Rule): Rule => {
    if (!rule.tells) return rule
    const { tells, ...rest } = rule
    if (!log) return rest
    const { verdict = RETURN } = rule
    const chain = toldChain(renderTold(table, tells), tells, verdict, log)
    told.set(chain.name, chain)
    return { ...rest, verdict: goTo(chain.name) }
  }
  const led = chains.map((chain) => ({ ...chain, rules: chain.rules.map(lead) }))
  return [...led, ...told.values()]
}

/** What is counted for the table where it tells. */
export const tellCounters = (log: ValidLog | undefined): string[] => (log ? [UNTOLD_COUNTER] : [])

/** Both rules end alike: a limit that is met only leaves out the telling. */
function toldChain(prefix: string, told: Told, verdict: Verdict, log: ValidLog): Chain {
  const { group, rate, deniedRate } = log
  const isAnybodys = told.event === 'denied' || told.event === 'wrong'
  // nft itself would ask for TCP before it resets; asked here, the rules are listed as they were written.
  const of: Match[] = verdict.kind === 'reset' ? [{ kind: 'protocol', protocols: ['tcp'] }] : []
  const comment = (purpose: string) => `${told.door ?? '/guard/ban'} ${told.event} ${purpose}`
  return {
    name: toldName(told, verdict),
    rules: [
      {
        when: [...of, { kind: 'within-rate', rate: isAnybodys ? deniedRate : rate }],
        then: [{ op: 'tell', group, prefix }],
        verdict,
        comment: comment('told'),
      },
      {
        when: of,
        then: [count(UNTOLD_COUNTER)],
        // At its end a chain returns.
        ...(verdict.kind !== 'return' && { verdict }),
        comment: comment('untold'),
      },
    ],
  }
}

/**
 * Of all that the chain does, so that with another spec a chain of the same name does the same: packets may be on their
 * way to it. The numbers stand in the first word, so that no two names meet whatever doors and users are called.
 */
function toldName({ event, door, attempt, stage, user }: Told, verdict: Verdict): string {
  const head = `told${stage ?? ''}${user === undefined ? '' : `u${user.length}`}`
  const end = verdict.kind === 'goto' ? verdict.chain : verdict.kind
  return [head, event, end, attempt, user, door].filter((word) => word !== undefined).join('_')
}
