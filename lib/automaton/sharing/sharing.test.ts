// Which doors share, the numbers of their knocks, and the names of what they have in common.
import t from 'tap'
import { validateSpec } from '../../spec/validate.js'
import { buildAutomaton } from '../build.js'
import { SHARE_FROM } from './choose.js'
import { markOf, numbered, numberIn, stageIn } from './names.js'

interface Parts {
  readonly name?: string
  readonly [part: string]: unknown
}

const door = (index: number, parts: Parts = {}) => ({
  name: `d${index}`,
  service: `tcp/${100 + index}`,
  knock: {
    type: 'sequence',
    steps: [`tcp/${20000 + 2 * index}`, `udp/${20001 + 2 * index}`],
    stepTimeout: '5s',
  },
  open: { for: '30s' },
  ...parts,
})

const many = (...others: object[]) =>
  validateSpec({ doors: [...Array.from({ length: SHARE_FROM }, (_, i) => door(i)), ...others] })

/** Whether a door shares beside many that do. */
const shares = (parts: Parts): boolean =>
  buildAutomaton(many(door(SHARE_FROM, parts))).doors.at(-1)?.shared !== undefined

const knock = (parts: object) => ({
  knock: { type: 'sequence', steps: ['tcp/30000', 'udp/30001'], stepTimeout: '5s', ...parts },
})

t.test('doors share sets from a certain number of doors on', async (t) => {
  const few = Array.from({ length: SHARE_FROM - 1 }, (_, index) => door(index))
  t.notOk(buildAutomaton(validateSpec({ doors: few })).doors.some(({ shared }) => shared))
  t.ok(buildAutomaton(many()).doors.every(({ shared }) => shared))
})

t.test('a door shares sets if nothing about it needs its own rules', async (t) => {
  const plain: Parts[] = [
    {},
    { service: 'udp/99' },
    { close: { type: 'sequence', steps: ['tcp/30000', 'tcp/30001'], stepTimeout: '5s' } },
    knock({ steps: ['tcp/30000', 'tcp/30000', 'tcp/30001'] }),
    knock({ steps: ['tcp/30000'] }),
  ]
  for (const parts of plain) t.ok(shares(parts), JSON.stringify(parts))
  const special: Parts[] = [
    { service: 'tcp/90-99' },
    { service: ['tcp/98', 'tcp/99'] },
    { address: '192.0.2.1' },
    { interfaces: ['eth0'] },
    { open: { for: '30s', connections: 1 } },
    { open: { for: '30s', refresh: true } },
    { open: { for: '30s', scope: 'everyone' } },
    { open: { for: '30s', established: 'cut' } },
    { open: { for: '30s', mark: 7 } },
    { open: { for: '30s', redirectTo: 22 } },
    knock({ reset: 'never' }),
    knock({ reset: 'knock-ports' }),
    knock({ steps: ['tcp/30000', 'udp/30001', 'tcp/30002'], timeout: '6s' }),
    knock({ steps: ['icmp', 'tcp/30000'] }),
    knock({ steps: [{ protocol: 'udp', port: 30000, length: 4 }, 'tcp/30001'] }),
    knock({ steps: ['tcp/20000', 'tcp/30001'] }),
    knock({ steps: undefined, oneTime: [['tcp/30000', 'tcp/30001']] }),
  ]
  for (const parts of special) t.notOk(shares(parts), JSON.stringify(parts))
})

t.test('no shared name equals a name of a single door', async (t) => {
  const own = { open: { for: '30s', connections: 1 } }
  const names = ['shared', 'shared_tcp', 'tcp', 'known', 'own', 'knocks', 'drop', 'own_connections']
  const doors = names.map((name, index) => door(SHARE_FROM + index, { name, ...own }))
  const { chains, counters, sets } = buildAutomaton(many(...doors))
  t.ok(chains.some(({ name }) => name === 'logshared_denied_drop'))
  t.ok(chains.some(({ name }) => name === 'log_denied_drop_shared'))
  t.ok(sets.length > 0 && counters.includes('denied_shared'))
})

t.test('no comment is longer than nft allows', async (t) => {
  const long = door(SHARE_FROM, {
    name: 'd'.repeat(32),
    knock: Array.from({ length: 16 }, (_, index) => ({
      type: 'sequence',
      steps: Array.from({ length: 32 }, () => `tcp/${30000 + index}`),
      stepTimeout: '5s',
    })),
  })
  const [knocked] = buildAutomaton(many(long)).dataMaps
  const lengths = knocked?.entries.map((entry) => ('comment' in entry ? entry.comment.length : 0))
  t.equal(Math.max(...(lengths ?? [])), 128)
})

t.test('a knock gets its number from its name, and no two numbers are equal', async (t) => {
  const names = Array.from({ length: 4000 }, (_, index) => `d${index} open`)
  const all = numbered(names)
  t.equal(new Set(all.values()).size, names.length)
  t.notOk([...all.values()].includes(0))
  const some = numbered(names.slice(0, 2000))
  t.ok([...some].every(([name, number]) => all.get(name) === number))
  const twins = ['c27875 open', 'c3350 open']
  const [first, second] = [...numbered(twins).values()]
  t.equal(second, (first ?? 0) + 1, 'the later of two equal numbers becomes the next number')
  t.equal(numberIn(markOf(61260123, 33)), 61260123)
  t.equal(stageIn(markOf(61260123, 33)), 33)
})
