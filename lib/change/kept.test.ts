// What two tables say of themselves → which elements stay, and which grants are used up.
import t from 'tap'
import type { DoorSummary } from '../automaton/language/summary.js'
import type { Listing } from '../nft/listing.js'
import { keepsElements, renderExhausted } from './kept.js'

const door = (parts: Partial<DoorSummary> = {}): DoorSummary => ({
  name: 'ssh',
  services: ['tcp/22'],
  knocks: [{ attempt: 'open', steps: 3 }],
  grantTimeout: 30,
  connections: undefined,
  scope: 'source',
  established: 'keep',
  ...parts,
})

t.test('of a table in an unknown layout only what lets nobody in is kept', async (t) => {
  const keeps = keepsElements(undefined, new Map())
  for (const set of ['spent_ssh_0', 'spent0123456789ab_ssh_0', 'banned_4', 'banned_6p64']) {
    t.equal(keeps(set), true, set)
  }
  for (const set of ['grants_ssh_4', 'open1_ssh_4', 'strikes_4', 'started_6', 'syns_4']) {
    t.equal(keeps(set), false, set)
  }
})

/** What is deleted: the set, and its elements. */
function exhausted(
  before: Partial<DoorSummary>,
  after: Partial<DoorSummary>,
  used: Record<string, string>,
): (readonly [string, unknown])[] {
  const sets = Object.entries(used).map(([name, source]) => {
    const elements = [{ key: [source], timeout: 30, expires: 20 }]
    return [name, { timeout: undefined, size: 100, elements }] as const
  })
  const listing: Listing = { sets: new Map(sets), counters: new Map() }
  return renderExhausted('k', [door(before)], [door(after)], listing).flatMap((command) =>
    'delete' in command && 'element' in command.delete
      ? [[command.delete.element.name, command.delete.element.elem] as const]
      : [],
  )
}

t.test('a grant that was used more often than its door allows now is deleted', async (t) => {
  const used = { used1_ssh_4: '10.0.0.1', used2_ssh_4: '10.0.0.2', used2_ssh_6: 'fd00::2' }
  const had = { connections: 3 }
  t.strictSame(exhausted(had, { connections: 2 }, used), [
    ['grants_ssh_4', ['10.0.0.2']],
    ['grants_ssh_6', ['fd00::2']],
  ])
  t.strictSame(exhausted(had, { connections: 3 }, used), [])
  t.strictSame(exhausted(had, {}, used), [], 'none is counted any more')
  t.strictSame(exhausted(had, { connections: 1, scope: 'everyone' }, used), [])
  const scope = 'everyone'
  t.strictSame(
    exhausted({ ...had, scope }, { connections: 1, scope }, { used1_ssh_0: '0x00000000' }),
    [['grants_ssh_0', [0]]],
  )
})

t.test('under another prefix a door has other sets, and none is deleted from', async (t) => {
  const had = { connections: 3, prefix: { 4: 24, 6: 64 } }
  const used = { used1_ssh_4p24: '10.0.0.0', used1_ssh_6p64: 'fd00::', used1_ssh_6: 'fd00::' }
  t.strictSame(exhausted(had, { connections: 1, prefix: { 4: 24, 6: 64 } }, used), [
    ['grants_ssh_4p24', ['10.0.0.0']],
    ['grants_ssh_6p64', ['fd00::']],
  ])
  t.strictSame(exhausted(had, { connections: 1, prefix: { 4: 32, 6: 64 } }, used), [
    ['grants_ssh_6p64', ['fd00::']],
  ])
  t.strictSame(exhausted(had, { connections: 1 }, used), [])
})
