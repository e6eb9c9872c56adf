// Chains with events → the chains that log them. No two of these have one name.
import t from 'tap'
import { validateSpec } from '../../spec/validate.js'
import { buildAutomaton } from '../build.js'
import { type Automaton, DROP, goTo, RESET, RETURN, type Rule } from './automaton.js'
import { logAll, logCounters } from './log.js'
import { type Logged, renderPrefix } from './log-prefix.js'

const log = { group: 5, rate: 1000, deniedRate: 10 }
const rule = (logs: Logged, rest: Partial<Rule> = {}): Rule => ({
  when: [],
  comment: 'x',
  logs,
  ...rest,
})
const logging = (...rules: Rule[]) => logAll([{ name: 'gate_ssh', rules }], { table: 'knock', log })

t.test('a rule goes to the chain that logs it and then has its verdict', async (t) => {
  const when = [{ kind: 'loopback' }] as const
  const then = [{ op: 'count', counter: 'denied_ssh' }] as const
  const denied = rule({ event: 'denied', door: 'ssh' }, { when, then, verdict: DROP })
  t.strictSame(logging({ when, comment: 'y' }, denied), [
    {
      name: 'gate_ssh',
      rules: [
        { when, comment: 'y' },
        { when, then, comment: 'x', verdict: goTo('log_denied_drop_ssh') },
      ],
    },
    {
      name: 'log_denied_drop_ssh',
      rules: [
        {
          when: [{ kind: 'within-rate', rate: 10 }],
          then: [{ op: 'log', group: 5, prefix: 'kl knock denied ssh - - -' }],
          verdict: DROP,
          comment: 'ssh denied logged',
        },
        {
          when: [],
          then: [{ op: 'count', counter: 'unlogged' }],
          verdict: DROP,
          comment: 'ssh denied unlogged',
        },
      ],
    },
  ])
})

t.test('a chain that returns has no verdict at its end', async (t) => {
  const [, logged] = logging(rule({ event: 'banned' }, { verdict: RETURN }))
  t.equal(logged?.name, 'log_banned_return')
  t.strictSame(
    logged?.rules.map(({ verdict }) => verdict),
    [RETURN, undefined],
  )
  t.strictSame(logged?.rules[0]?.when, [{ kind: 'within-rate', rate: 1000 }])
})

t.test('a chain that resets matches TCP, as nft lists it', async (t) => {
  const [, logged] = logging(rule({ event: 'denied', door: 'ssh' }, { verdict: RESET }))
  const tcp = { kind: 'protocol', protocols: ['tcp'] } as const
  t.strictSame(
    logged?.rules.map(({ when }) => when),
    [[tcp, { kind: 'within-rate', rate: 10 }], [tcp]],
  )
})

t.test('rules with the same event and verdict share a chain', async (t) => {
  const logged = { event: 'wrong', door: 'ssh', attempt: 'open' } as const
  const names = logging(
    rule(logged, { verdict: RETURN }),
    rule(logged),
    rule(logged, { verdict: goTo('strike') }),
  ).map(({ name }) => name)
  t.strictSame(names, ['gate_ssh', 'log_wrong_return_open_ssh', 'log_wrong_strike_open_ssh'])
})

t.test('without a log nothing is logged', async (t) => {
  const rules = [rule({ event: 'banned' }, { verdict: RETURN })]
  t.strictSame(logAll([{ name: 'c', rules }], { table: 'knock' }), [
    { name: 'c', rules: [{ when: [], verdict: RETURN, comment: 'x' }] },
  ])
  t.strictSame(logCounters(undefined), [])
  t.strictSame(logCounters(log), ['unlogged'])
})

t.test('no two chains have one name, whatever doors and users are called', async (t) => {
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

const longest = 'n'.repeat(32)
const user = { name: longest, secretFile: '/k' }
const open = { for: '30s', connections: 1 }
const many = {
  table: 't'.repeat(32),
  guard: { ban: { after: 2, within: '1m', for: '1m' } },
  doors: [
    {
      name: longest,
      service: 'tcp/22',
      knock: [
        ...new Array(15).fill(undefined).map((_, index) => {
          return { type: 'sequence', steps: new Array(32).fill(`tcp/${7000 + index}`) }
        }),
        { type: 'token', port: 'udp/6000', period: '30s', users: [user] },
      ],
      close: { type: 'sequence', steps: ['tcp/9000', 'tcp/9001'] },
      open,
    },
  ],
}

t.test('prefixes fit into 127 bytes, and each kind of event has some', async (t) => {
  const prefixes = prefixesOf(buildAutomaton(validateSpec(many)))
  const lengths = prefixes.map((prefix) => prefix.length)
  t.ok(Math.max(...lengths) <= 127, `${Math.max(...lengths)} bytes`)
  const kinds = new Set(prefixes.map((prefix) => prefix.split(' ')[2]))
  t.strictSame([...kinds].sort(), [
    'banned',
    'closed',
    'denied',
    'granted',
    'knock',
    'reset',
    'wrong',
  ])
  const logged = { event: 'granted', door: longest, attempt: 'open16', stage: 1, of: 1 } as const
  t.ok(prefixes.includes(renderPrefix(many.table, { ...logged, user: longest })))
})

t.test('without a log a spec has the same rules, except those that log', async (t) => {
  const silent = buildAutomaton(validateSpec({ ...many, log: false }))
  const logging = buildAutomaton(validateSpec(many))
  t.strictSame(prefixesOf(silent), [])
  t.notOk(JSON.stringify(silent).includes('logs'))
  t.notOk(JSON.stringify(logging).includes('logs'))
  const own = logging.chains.filter(({ name }) => !/^log[0-9_]/.test(name))
  t.strictSame(
    own.map(({ rules }) => rules.map(({ comment }) => comment)),
    silent.chains.map(({ rules }) => rules.map(({ comment }) => comment)),
  )
})

const prefixesOf = ({ chains }: Automaton): string[] =>
  chains.flatMap(({ rules }) =>
    rules.flatMap(({ then = [] }) =>
      then.flatMap((action) => (action.op === 'log' ? [action.prefix] : [])),
    ),
  )
