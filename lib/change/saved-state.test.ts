// A saved state → the elements that a table gets, and those that are left out.
import t from 'tap'
import type { DoorSummary } from '../automaton/language/summary.js'
import type { KnockState } from '../spec/generated/state-types.js'
import type { HeldSets } from './additions.js'
import { renderState, setsOf, usedOnly } from './saved-state.js'

const door = (name: string, parts: Partial<DoorSummary> = {}): DoorSummary => ({
  name,
  services: ['tcp/22'],
  knocks: [],
  grantTimeout: 30,
  connections: undefined,
  scope: 'source',
  established: 'keep',
  ...parts,
})

const DOORS = [
  door('ssh'),
  door('web', { connections: 3 }),
  door('all', { scope: 'everyone' }),
  door('tok'),
]
const SAVED = '2026-11-21T10:00:00.000Z'
const NOW = Date.parse(SAVED) / 1000
const TOKEN = '00112233445566778899aabbccddeeff'
const at = (seconds: number) => new Date((NOW + seconds) * 1000).toISOString()

const empty = (parts: Partial<KnockState> = {}): KnockState => ({
  version: 1,
  table: 'knock',
  saved: SAVED,
  grants: [],
  bans: [],
  tokens: [],
  sequences: [],
  ...parts,
})

const NAMES = [
  ...['grants_ssh_4', 'grants_ssh_6', 'grants_web_4', 'used1_web_4', 'used2_web_4', 'grants_all_0'],
  ...['banned_4', 'banned_6', 'spent_tok_0', 'spent0123456789ab_ssh_0'],
]
const SETS: HeldSets = new Map(NAMES.map((name) => [name, { size: 100, elements: [] }]))

function play(state: KnockState, now = NOW, sets = SETS, knowsTokens = true) {
  const place = { table: 'knock', doors: DOORS, sets, knowsTokens }
  const { commands, report } = renderState(place, state, now)
  const added = commands.flatMap((command) =>
    'add' in command && 'element' in command.add ? [command.add.element] : [],
  )
  const made = commands.flatMap((command) =>
    'add' in command && 'set' in command.add ? [command.add.set] : [],
  )
  t.equal(made.length + added.length, commands.length, 'the commands only add sets and elements')
  return { made, elements: Object.fromEntries(added.map(({ name, elem }) => [name, elem])), report }
}
const timed = (val: string | number, timeout: number) => ({ elem: { val, timeout } })

t.test('each part of a state goes into its set', async (t) => {
  const { elements, report } = play(
    empty({
      grants: [
        { door: 'ssh', source: '203.0.113.7', until: at(25) },
        { door: 'ssh', source: '2001:db8::7', until: at(600) },
        { door: 'web', source: '203.0.113.7', until: at(25), used: 2 },
        { door: 'all', source: 'everyone', until: at(25) },
      ],
      bans: [{ source: '203.0.113.9', until: at(100) }],
      tokens: [{ door: 'tok', token: TOKEN, until: at(1000) }],
      sequences: [{ door: 'ssh', digest: '0123456789ab' }],
    }),
  )
  t.strictSame(elements, {
    grants_ssh_4: [timed('203.0.113.7', 25)],
    grants_ssh_6: [timed('2001:db8::7', 600)],
    grants_web_4: [timed('203.0.113.7', 25)],
    used2_web_4: [timed('203.0.113.7', 85)],
    grants_all_0: [timed(0, 25)],
    banned_4: [timed('203.0.113.9', 100)],
    spent_tok_0: [timed(`0x${TOKEN}`, 1000)],
    spent0123456789ab_ssh_0: [0],
  })
  t.strictSame(report, {
    restored: { grants: 4, bans: 1, tokens: 1, sequences: 1 },
    skipped: { over: 0, present: 0, unplaced: 0 },
    unknownDoors: [],
  })
})

t.test('elements get the remaining time of the present clock', async (t) => {
  const state = empty({
    grants: [{ door: 'ssh', source: '203.0.113.7', until: at(25) }],
    bans: [{ source: '203.0.113.9', until: at(100) }],
    tokens: [{ door: 'tok', token: TOKEN, until: at(1000) }],
  })
  const token = { spent_tok_0: [timed(`0x${TOKEN}`, 1000)] }
  const ban = (timeout: number) => ({ banned_4: [timed('203.0.113.9', timeout)] })
  const grant = (timeout: number) => ({ grants_ssh_4: [timed('203.0.113.7', timeout)] })
  t.strictSame(play(state, NOW + 10.5).elements, { ...grant(14), ...ban(89), ...token })
  t.strictSame(
    play(state, NOW + 24.5).elements,
    { ...ban(75), ...token },
    'an element with less than a second left is left out',
  )
  t.strictSame(play(state, NOW + 200).elements, token, 'expired elements are left out')
  t.strictSame(play(state, NOW + 1e9).elements, token, 'a used token stays, whatever the clock')
  const back = play(state, NOW - 1e9)
  t.strictSame(
    back.elements,
    { ...grant(25), ...ban(100), ...token },
    'no element lasts longer than at the save if the clock was set back',
  )
  t.strictSame(play(state, NOW + 200).report.skipped, { over: 2, present: 0, unplaced: 0 })
})

t.test('elements of changed doors are left out', async (t) => {
  const state = empty({
    grants: [
      { door: 'gone', source: '203.0.113.7', until: at(25) },
      { door: 'web', source: '203.0.113.1', until: at(25), used: 3 },
      { door: 'web', source: '203.0.113.2', until: at(9e6) },
      { door: 'ssh', source: '203.0.113.3', until: at(25), used: 2 },
      { door: 'all', source: '203.0.113.4', until: at(25) },
      { door: 'ssh', source: 'everyone', until: at(25) },
    ],
    tokens: [
      { door: 'gone', token: TOKEN, until: at(25) },
      { door: 'tok', token: TOKEN, until: at(-1) },
    ],
    sequences: [{ door: 'ssh', digest: 'ffffffffffff' }],
  })
  const { made, elements, report } = play(state)
  const grants = {
    grants_web_4: [timed('203.0.113.2', 86400)],
    grants_ssh_4: [timed('203.0.113.3', 25)],
  }
  const tokens = { spent_gone_0: [timed(`0x${TOKEN}`, 25)] }
  const sequences = { spentffffffffffff_ssh_0: [0] }
  t.strictSame(elements, { ...grants, ...tokens, ...sequences })
  t.match(made, [
    { name: 'spent_gone_0', type: { typeof: {} }, flags: ['timeout'], timeout: 120 * 86400 },
    { name: 'spentffffffffffff_ssh_0', type: 'mark', flags: ['timeout'], size: 1 },
  ])
  t.strictSame(report.unknownDoors, ['gone'])
  t.strictSame(report.skipped, { over: 2, present: 0, unplaced: 2 })
  const old = play(state, NOW, SETS, false)
  t.strictSame(
    old.elements,
    { ...grants, ...sequences },
    'tokens are left out for an nft that does not know them',
  )
  t.equal(old.report.skipped.unplaced, 3)
  const sets = new Map([...SETS, ['spent_gone_0', { size: 9, elements: [] }]])
  t.strictSame(
    play(state, NOW, sets).elements['spent_gone_0'],
    [timed(`0x${TOKEN}`, 25)],
    'a used token of a removed door stays if its set exists',
  )
})

t.test(
  'grants of blocks come back under the same prefix, and bans never get narrower',
  async (t) => {
    const prefix = { 4: 24, 6: 64 }
    const names = ['grants_ssh_4p24', 'grants_ssh_6p64', 'banned_4p24', 'banned_6p64']
    const sets: HeldSets = new Map(names.map((name) => [name, { size: 100, elements: [] }]))
    const doors = [door('ssh', { prefix })]
    const restore = (grants: string[], bans: string[]) => {
      const state = empty({
        grants: grants.map((source) => ({ door: 'ssh', source, until: at(25) })),
        bans: bans.map((source) => ({ source, until: at(100) })),
      })
      const place = { table: 'knock', doors, guardPrefix: prefix, sets, knowsTokens: true }
      const { commands, report } = renderState(place, state, NOW)
      const added = (
        commands as unknown as { add: { element: { name: string; elem: unknown } } }[]
      ).map(({ add: { element } }) => [element.name, element.elem])
      return { ...Object.fromEntries(added), unplaced: report.skipped.unplaced }
    }
    t.strictSame(restore(['10.0.0.0/24', '10.0.1.1', '2001:db8::/64', '2001:db8::/56'], []), {
      grants_ssh_4p24: [timed('10.0.0.0', 25)],
      grants_ssh_6p64: [timed('2001:db8::', 25)],
      unplaced: 2,
    })
    t.strictSame(restore([], ['10.0.0.7', '10.0.0.0/16', '2001:db8::/64', '2001:db8::/56']), {
      banned_4p24: [timed('10.0.0.0', 100)],
      banned_6p64: [timed('2001:db8::', 100)],
      unplaced: 2,
    })
  },
)

t.test('existing elements stay as they are', async (t) => {
  const element = (key: string) => ({ key: [key], timeout: 30, expires: 5 })
  const held = new Map([
    ...SETS,
    ['grants_ssh_4', { size: 100, elements: [element('203.0.113.7')] }],
    ['grants_all_0', { size: 100, elements: [element('0x00000000')] }],
    ['spent_tok_0', { size: 100, elements: [element('0x112233445566778899aabbccddeeff')] }],
    ['spent0123456789ab_ssh_0', { size: 1, elements: [element('0')] }],
  ] as const)
  const { elements, report } = play(
    empty({
      grants: [
        { door: 'ssh', source: '203.0.113.7', until: at(25) },
        { door: 'all', source: 'everyone', until: at(25) },
      ],
      tokens: [{ door: 'tok', token: TOKEN, until: at(1000) }],
      sequences: [{ door: 'ssh', digest: '0123456789ab' }],
    }),
    NOW,
    held,
  )
  t.strictSame(elements, {})
  t.equal(report.skipped.present, 4)
})

t.test('only as many elements are added as there is room for, in short commands', async (t) => {
  const many = (count: number) =>
    Array.from({ length: count }, (_, index) => ({
      door: 'tok',
      token: index.toString(16).padStart(32, '0'),
      until: at(1000),
    }))
  const { elements, report } = play(empty({ tokens: many(150) }))
  t.equal((elements['spent_tok_0'] as unknown[]).length, 100)
  t.strictSame([report.restored.tokens, report.skipped.unplaced], [100, 50])
  const sets = new Map([['spent_tok_0', { size: 1_048_576, elements: [] }]])
  const place = { table: 'knock', doors: DOORS, sets, knowsTokens: true }
  t.equal(renderState(place, empty({ tokens: many(120_000) }), NOW).commands.length, 3)
})

t.test('lists the sets of a document, and keeps only used tokens and sequences', async (t) => {
  const set = (name: string) =>
    ({ add: { set: { family: 'inet', table: 'knock', name, type: 'mark', size: 7 } } }) as const
  const element = { key: ['0'], timeout: undefined, expires: undefined }
  const standing: HeldSets = new Map([['b', { size: 5, elements: [element] }]])
  t.strictSame(
    [...setsOf({ nftables: [set('a'), set('b')] }, standing)],
    [
      ['a', { size: 7, elements: [] }],
      ['b', { size: 7, elements: [element] }],
    ],
  )
  const state = empty({ bans: [{ source: '203.0.113.9', until: at(100) }] })
  t.strictSame(usedOnly(state), empty())
})
