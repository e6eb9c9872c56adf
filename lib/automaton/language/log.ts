// Chains whose rules name an event → the same with chains that log it at a bounded rate. Pure.
import { hexDigest } from '../../spec/model/digest.js'
import type { ValidLog } from '../../spec/model/model.js'
import {
  type Action,
  add,
  type Chain,
  count,
  goTo,
  inSet,
  type Match,
  RETURN,
  type Rule,
  type Verdict,
} from './automaton.js'
import { type Logged, renderPrefix } from './log-prefix.js'
import {
  counterName,
  FLOODED,
  QUIET,
  QUIET_SOURCES,
  UNLOGGED_COUNTER,
  unloggedCounter,
  userName,
} from './names.js'
import type { TimedSet } from './sets.js'

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
    const context: LogContext = { logged: logs, verdict, log, prefix: renderPrefix(table, logs) }
    const counts = countsOf(logs)
    const [first, ...others] = counts ? refusalChains(context, counts) : [logChain(context)]
    for (const chain of [first, ...others]) logged.set(chain.name, chain)
    return { ...withoutCounts(rest, counts?.logged ?? []), verdict: goTo(first.name) }
  }
  const led = chains.map((chain) => ({ ...chain, rules: chain.rules.map(lead) }))
  return [...led, ...logged.values()]
}

/**
 * The counters of a table with a log; none without one.
 *
 * @param counters - those of its doors.
 */
export const logCounters = (log: ValidLog | undefined, counters: readonly string[]): string[] => {
  const refusals = counters.filter((counter) => /^(?:denied|wrong)_/.test(counter))
  return log ? [UNLOGGED_COUNTER, ...refusals.map(unloggedCounter)] : []
}

/** Seconds for which nothing of an event is logged if it comes from too many sources. */
const QUIET_FOR = 1
/** Seconds for which a source is quiet, and for which a flood is remembered. */
const FLOODED_FOR = 60
/** The most of them. If a set is full, an event costs more than a look-up, and no more is lost. */
const MOST = 8192
/** Packets above the rate that are no flood yet: one a second, and so many at once. */
const NO_FLOOD = { rate: 1, burst: 10 } as const

/** The sets that keep the log short; none without a log. */
export function logSets(log: ValidLog | undefined, capacity: number): TimedSet[] {
  if (!log) return []
  const timed = (name: string, key: TimedSet['key'], timeout: number): TimedSet => {
    return { name, key, timeout, perElement: true, capacity: Math.min(capacity, MOST) }
  }
  return [
    timed(QUIET, ['constant'], QUIET_FOR),
    timed(QUIET_SOURCES, ['source', 'constant'], FLOODED_FOR),
    timed(FLOODED, ['constant'], FLOODED_FOR),
  ]
}

interface LogContext {
  readonly prefix: string
  readonly logged: Logged
  readonly verdict: Verdict
  readonly log: ValidLog
}

/** Both rules have the same verdict, so above the rate only the log is missing. */
function logChain({ prefix, logged, verdict, log: { group, rate } }: LogContext): Chain {
  return {
    name: logChainName(logged, verdict),
    rules: [
      {
        when: [...ofVerdict(verdict), withinRate(rate)],
        then: [{ op: 'log', group, prefix }],
        verdict,
        comment: commentOf(logged, 'logged'),
      },
      last(verdict, [count(UNLOGGED_COUNTER)], commentOf(logged, 'unlogged')),
    ],
  }
}

/** The actions that count a refusal which is logged, and one which is not. */
interface RefusalCounts {
  readonly logged: readonly Action[]
  readonly unlogged: readonly Action[]
}

/**
 * How an event that anybody can cause is counted; undefined for other events. Shared doors count
 * theirs before, by the packet's mark.
 */
function countsOf({ event, door, shared }: Logged): RefusalCounts | undefined {
  if (event !== 'denied' && event !== 'wrong') return undefined
  if (shared) return { logged: [], unlogged: [count(UNLOGGED_COUNTER)] }
  if (door === undefined) return undefined
  const counter = counterName(event, door)
  return { logged: [count(counter)], unlogged: [count(unloggedCounter(counter))] }
}

/** A refusal is counted when it is known whether it is logged, so that it is counted once. */
function withoutCounts(
  { then = [], ...rest }: Omit<Rule, 'logs'>,
  counts: readonly Action[],
): Omit<Rule, 'logs'> {
  const isCounted = (action: Action) =>
    counts.some(
      (own) => own.op === 'count' && action.op === 'count' && own.counter === action.counter,
    )
  const others = then.filter((action) => !isCounted(action))
  return { ...rest, ...(others.length > 0 && { then: others }) }
}

/**
 * The chains for an event that anybody can cause. In a flood a packet meets one or two look-ups and
 * one counter. Each source is then logged once more, at a rate apart, and not again for a minute.
 * So a source that sends many packets does not hide the others.
 */
function refusalChains(context: LogContext, counts: RefusalCounts): [Chain, ...Chain[]] {
  const { prefix, logged, verdict, log } = context
  const name = logChainName(logged, verdict)
  const [flooded, once] = [`log_flooded${name.slice(3)}`, `log_once${name.slice(3)}`]
  const of = ofVerdict(verdict)
  const comment = (purpose: string) => commentOf(logged, purpose)
  const constant = constantOf(name)
  const { unlogged } = counts
  const written: Action[] = [...counts.logged, { op: 'log', group: log.group, prefix }]
  const within = (): Match => withinRate(log.deniedRate)
  const quiet = quietMatches(logged, verdict).map((match): Rule => {
    return { when: [...of, match], then: unlogged, verdict, comment: comment('quiet') }
  })
  const remember = (set: string, purpose: string): Rule => {
    return { when: [], then: [add(set, constant)], comment: comment(purpose) }
  }
  const inFlood = (when: Match[]): Rule => {
    return { when, verdict: goTo(flooded), comment: comment('in a flood') }
  }
  return [
    {
      name,
      rules: [
        ...quiet,
        { when: [...of, within()], then: written, verdict, comment: comment('logged') },
        inFlood([inSet(FLOODED, constant)]),
        {
          when: [...of, { kind: 'within-rate', ...NO_FLOOD }],
          then: unlogged,
          verdict,
          comment: comment('unlogged'),
        },
        remember(FLOODED, 'a flood begins'),
        inFlood([]),
      ],
    },
    {
      name: flooded,
      rules: [
        { when: [within()], verdict: goTo(once), comment: comment('once of its source') },
        remember(QUIET, 'from too many sources'),
        last(verdict, unlogged, comment('unlogged')),
      ],
    },
    {
      name: once,
      rules: [
        remember(QUIET_SOURCES, 'quiet from now on'),
        last(verdict, written, comment('logged')),
      ],
    },
  ]
}

/** Matches packets of an event that are not logged now: all, or all of the packet's source. */
export function quietMatches(logged: Logged, verdict: Verdict): [Match, Match] {
  const constant = constantOf(logChainName(logged, verdict))
  return [inSet(QUIET, constant), inSet(QUIET_SOURCES, constant)]
}

const withinRate = (rate: number): Match => ({ kind: 'within-rate', rate, burst: rate })

/** A number other than 0 that stands for a chain, the same for every spec. */
const constantOf = (chain: string): number =>
  Number.parseInt(hexDigest(chain, 8), 16) & 0x7fffffff || 1

/**
 * nft itself would add this match before a reset. Written here, the rules are listed as they were
 * written.
 */
const ofVerdict = ({ kind }: Verdict): Match[] =>
  kind === 'reset' ? [{ kind: 'protocol', protocols: ['tcp'] }] : []

/** The last rule of a chain. At its end a chain returns by itself. */
const last = (verdict: Verdict, then: readonly Action[], comment: string): Rule => ({
  when: ofVerdict(verdict),
  then,
  ...(verdict.kind !== 'return' && { verdict }),
  comment,
})

const commentOf = ({ door, event, shared, by }: Logged, purpose: string): string =>
  `${door ?? (shared ? 'shared doors' : by ? '/guard/traps' : '/guard/ban')} ${event} ${purpose}`

/**
 * Names the chain after all that it does. With another spec a chain of the same name then does the
 * same, also for packets that are on their way to it. The numbers are in the first word, so that no
 * two names are equal whatever the doors and users are called.
 */
function logChainName(logged: Logged, verdict: Verdict): string {
  const { event, door, attempt, stage, shared, by } = logged
  const user = logged.user === undefined ? undefined : userName(logged.user)
  const kind = shared ? 'shared' : (stage ?? '')
  const head = `log${kind}${user === undefined ? '' : `u${user.length}`}`
  const end = verdict.kind === 'goto' ? verdict.chain : verdict.kind
  return [head, event, by, end, attempt, user, door].filter((word) => word !== undefined).join('_')
}
