// What the sets of a door with tokens hold → whose token a source used last; from listings.
import t from 'tap'
import { byUserSet } from '../automaton/language/names.js'
import type { DoorSummary } from '../automaton/language/summary.js'
import { parseListing } from '../nft/listing.js'
import { listedContents } from './contents.js'
import { viewStatus } from './status.js'

const door: DoorSummary = {
  name: 'ssh',
  services: ['tcp/22'],
  knocks: [
    { attempt: 'open', steps: 1, users: ['ann', 'bob'] },
    { attempt: 'open2', steps: 1, users: ['ann'] },
  ],
  grantTimeout: 60,
  connections: undefined,
  scope: 'source',
  established: 'keep',
}

/** Members with the seconds that they still have of 60. */
const set = (name: string, members: Readonly<Record<string, number>>) => {
  const elem = Object.entries(members).map(([val, expires]) => ({ elem: { val, expires } }))
  return { set: { name, timeout: 60, elem } }
}
const grantsOf = (...nftables: readonly unknown[]) =>
  viewStatus('knock', [door], listedContents(parseListing({ nftables }))).doors[0]?.grants

t.test('the last token accepted from a source is shown', async (t) => {
  const grants = grantsOf(
    set('grants_ssh_4', { '10.0.0.1': 50, '10.0.0.2': 40, '10.0.0.3': 30 }),
    set(`${byUserSet('ssh', 'ann')}_4`, { '10.0.0.1': 49, '10.0.0.2': 10, '10.0.0.9': 20 }),
    set(`${byUserSet('ssh', 'bob')}_4`, { '10.0.0.2': 39 }),
    set(`${byUserSet('web', 'bob')}_4`, { '10.0.0.3': 39 }),
  )
  t.strictSame(grants, [
    { source: '10.0.0.1', expiresIn: 50, token: { user: 'ann', ago: 10 } },
    { source: '10.0.0.2', expiresIn: 40, token: { user: 'bob', ago: 20 } },
    { source: '10.0.0.3', expiresIn: 30 },
  ])
})

t.test('for a grant of everyone the last token of all is shown', async (t) => {
  const grants = grantsOf(
    set('grants_ssh_0', { 0: 50 }),
    set(`${byUserSet('ssh', 'ann')}_6`, { 'fd00::1': 20 }),
    set(`${byUserSet('ssh', 'bob')}_4`, { '10.0.0.2': 39 }),
  )
  t.strictSame(grants, [{ source: 'everyone', expiresIn: 50, token: { user: 'bob', ago: 20 } }])
})
