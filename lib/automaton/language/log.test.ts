// Chains with events → the chains that log them. No two of these have one name.
import t from 'tap'
import { DROP, goTo, RESET, RETURN, type Rule } from './automaton.js'
import { logAll, logCounters, logSets, quietMatches } from './log.js'
import type { Logged } from './log-prefix.js'

const log = { group: 5, rate: 1000, deniedRate: 10 }
const rule = (logs: Logged, rest: Partial<Rule> = {}): Rule => ({
  when: [],
  comment: 'x',
  logs,
  ...rest,
})
const logging = (...rules: Rule[]) => logAll([{ name: 'gate_ssh', rules }], { table: 'knock', log })

const within = (rate: number, burst = rate) => ({ kind: 'within-rate', rate, burst }) as const

t.test('a rule jumps to a chain that logs and then gives the verdict', async (t) => {
  const when = [{ kind: 'loopback' }] as const
  const then = [{ op: 'count', counter: 'knocks_ssh' }] as const
  const knock = { event: 'knock', door: 'ssh', attempt: 'open', stage: 1, of: 2 } as const
  const rules = [{ when, comment: 'y' }, rule(knock, { when, then, verdict: DROP })]
  t.strictSame(logging(...rules), [
    {
      name: 'gate_ssh',
      rules: [
        { when, comment: 'y' },
        { when, then, comment: 'x', verdict: goTo('log1_knock_drop_open_ssh') },
      ],
    },
    {
      name: 'log1_knock_drop_open_ssh',
      rules: [
        {
          when: [within(1000)],
          then: [{ op: 'log', group: 5, prefix: 'kl knock knock ssh open 1/2 -' }],
          verdict: DROP,
          comment: 'ssh knock logged',
        },
        {
          when: [],
          then: [{ op: 'count', counter: 'unlogged' }],
          verdict: DROP,
          comment: 'ssh knock unlogged',
        },
      ],
    },
  ])
})

t.test('a refusal is counted once, logged or not', async (t) => {
  const then = [
    { op: 'update', set: 'x' },
    { op: 'count', counter: 'denied_ssh' },
  ] as const
  const denied = { event: 'denied', door: 'ssh' } as const
  const [gate, main, flooded, once] = logging(rule(denied, { then, verdict: DROP }))
  t.strictSame(gate?.rules[0]?.then, [then[0]])
  t.strictSame(
    [main?.name, flooded?.name, once?.name],
    ['log_denied_drop_ssh', 'log_flooded_denied_drop_ssh', 'log_once_denied_drop_ssh'],
  )
  const unlogged = [{ op: 'count', counter: 'unlogged_denied_ssh' }]
  const prefix = 'kl knock denied ssh - - -'
  const written = [
    { op: 'count', counter: 'denied_ssh' },
    { op: 'log', group: 5, prefix },
  ]
  const counted = [main, flooded, once].flatMap((chain) =>
    (chain?.rules ?? []).flatMap(({ then = [], verdict }) =>
      then.some(({ op }) => op === 'count') ? [{ then, verdict }] : [],
    ),
  )
  const [no, yes] = [unlogged, written].map((then) => ({ then, verdict: DROP }))
  t.strictSame(counted, [no, no, yes, no, no, yes])
  const [quiet, quietSource, logged, inFlood, few] = main?.rules ?? []
  const constants = [quiet, quietSource, inFlood].map((rule) => {
    const [match] = rule?.when ?? []
    return match?.kind === 'in' ? [match.set, match.constant] : []
  })
  const [[, constant] = []] = constants
  t.strictSame(
    constants,
    ['quiet', 'quiet_sources', 'flooded'].map((set) => [set, constant]),
  )
  t.strictSame([logged?.when, few?.when], [[within(10)], [within(1, 10)]])
  t.strictSame(flooded?.rules[0]?.when, [within(10)])
  t.not(flooded?.rules[0]?.when[0], logged?.when[0], 'each rule has a rate of its own')
})

t.test('each event of each door has its own constant, which never changes', async (t) => {
  const refusals: Logged[] = ['ssh', 'web'].flatMap((door) => [
    { event: 'denied', door },
    { event: 'wrong', door, attempt: 'open' },
    { event: 'wrong', door, attempt: 'open2' },
  ])
  const constants = refusals.map((logs) => JSON.stringify(quietMatches(logs, DROP)))
  t.equal(new Set(constants).size, refusals.length)
  t.strictSame(quietMatches({ event: 'denied', door: 'ssh' }, DROP), [
    { kind: 'in', set: 'quiet', constant: 0x784e0cbd },
    { kind: 'in', set: 'quiet_sources', constant: 0x784e0cbd },
  ])
})

t.test('a chain whose verdict is return has no verdict rule', async (t) => {
  const [, logged] = logging(rule({ event: 'banned' }, { verdict: RETURN }))
  t.equal(logged?.name, 'log_banned_return')
  t.strictSame(
    logged?.rules.map(({ verdict }) => verdict),
    [RETURN, undefined],
  )
  t.strictSame(logged?.rules[0]?.when, [within(1000)])
  const [, main, ...others] = logging(rule({ event: 'wrong', door: 'ssh' }, { verdict: RETURN }))
  t.strictSame(
    main?.rules.map(({ verdict }) => verdict?.kind),
    ['return', 'return', 'return', 'goto', 'return', undefined, 'goto'],
  )
  t.strictSame(
    others.map(({ rules }) => rules.at(-1)?.verdict),
    [undefined, undefined],
  )
})

t.test('a chain with a TCP reset matches TCP, as nft lists it', async (t) => {
  const chains = logging(rule({ event: 'denied', door: 'ssh' }, { verdict: RESET }))
  const tcp = { kind: 'protocol', protocols: ['tcp'] } as const
  const resets = chains.flatMap(({ rules }) => rules.filter(({ verdict }) => verdict === RESET))
  t.equal(resets.length, 6)
  for (const { when } of resets) t.strictSame(when[0], tcp)
})

t.test('rules with the same event and verdict share a chain', async (t) => {
  const logged = { event: 'wrong', door: 'ssh', attempt: 'open' } as const
  const names = logging(
    rule(logged, { verdict: RETURN }),
    rule(logged),
    rule(logged, { verdict: goTo('strike') }),
  ).map(({ name }) => name)
  const each = (name: string) => [`log_${name}`, `log_flooded_${name}`, `log_once_${name}`]
  t.strictSame(names, [
    'gate_ssh',
    ...each('wrong_return_open_ssh'),
    ...each('wrong_strike_open_ssh'),
  ])
})

t.test('without a log nothing is logged', async (t) => {
  const rules = [rule({ event: 'banned' }, { verdict: RETURN })]
  t.strictSame(logAll([{ name: 'c', rules }], { table: 'knock' }), [
    { name: 'c', rules: [{ when: [], verdict: RETURN, comment: 'x' }] },
  ])
  t.strictSame(logCounters(undefined, ['denied_ssh']), [])
  t.strictSame(logCounters(log, ['grants_ssh', 'denied_ssh']), ['unlogged', 'unlogged_denied_ssh'])
})

t.test('the sets of the log have the capacity of other sets at most', async (t) => {
  t.strictSame(logSets(undefined, 100), [])
  t.strictSame(
    logSets(log, 100).map(({ name, timeout, capacity }) => [name, timeout, capacity]),
    [
      ['quiet', 1, 100],
      ['quiet_sources', 60, 100],
      ['flooded', 60, 100],
    ],
  )
  t.ok(logSets(log, 262_144).every(({ capacity }) => capacity === 8192))
})

t.test('no two chains share a name, whatever the names of doors and users', async (t) => {
  const granted = { event: 'granted', attempt: 'open', stage: 1, of: 1 } as const
  const all: Logged[] = [
    { ...granted, door: 'b_c', user: 'a' },
    { ...granted, door: 'c', user: 'a_b' },
    { ...granted, door: 'a_b_c' },
    { ...granted, door: 'open_a_b_c' },
    { event: 'closed', door: 'close_ssh' },
    { event: 'closed', door: 'ssh', attempt: 'close', stage: 1, of: 1 },
    { event: 'closed', door: '_', attempt: 'close', stage: 11, of: 11 },
    { event: 'closed', door: '1_closed', attempt: 'close', stage: 1, of: 1 },
  ]
  const names = logging(...all.map((logged) => rule(logged))).map(({ name }) => name)
  t.equal(new Set(names).size, all.length + 1)
})
