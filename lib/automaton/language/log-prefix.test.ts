// What a rule writes to NFLOG → the prefixes of all events, and what they say again.
import t from 'tap'
import { validateSpec } from '../../spec/validate.js'
import { buildAutomaton } from '../build.js'
import type { Automaton } from './automaton.js'
import { parsePrefix, renderPrefix, withUserName } from './log-prefix.js'
import type { DoorSummary } from './summary.js'

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

const prefixesOf = ({ chains }: Automaton): string[] =>
  chains.flatMap(({ rules }) =>
    rules.flatMap(({ then = [] }) =>
      then.flatMap((action) => (action.op === 'log' ? [action.prefix] : [])),
    ),
  )

t.test('prefixes fit into 127 bytes, and each kind of event has a prefix', async (t) => {
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

t.test('without a log a spec has the same rules, except the rules that log', async (t) => {
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

t.test('the prefix has the digest of a name that nft does not take', async (t) => {
  const granted = {
    event: 'granted',
    door: 'd'.repeat(32),
    attempt: 'open16',
    stage: 1,
    of: 1,
  } as const
  const users = ['ben', 'ana.b@example.org', `${'x'.repeat(64)}`, 'a'.repeat(32), '1st']
  const knocks = [{ attempt: 'open', steps: 1, users }] as const
  const door: DoorSummary = {
    ...{ name: granted.door, services: [], knocks, grantTimeout: 30, connections: undefined },
    ...{ scope: 'source', established: 'keep' },
  }
  for (const user of users) {
    const prefix = renderPrefix('t'.repeat(32), { ...granted, user })
    t.ok(prefix.length < 128, `${prefix.length} characters`)
    const read = parsePrefix(prefix)
    t.equal(read && withUserName(read, door).user, user)
    t.equal(
      prefix.endsWith(` ${user}`),
      /^[a-z]{1,32}$/.test(user),
      'plain names stand for themselves',
    )
    if (!prefix.endsWith(user)) {
      t.equal(read && withUserName(read, undefined).user, undefined, 'another table')
    }
  }
})
