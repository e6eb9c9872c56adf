// Listings → states, and back into tables in memory.
import { chmod } from 'node:fs/promises'
import t from 'tap'
import { installKnock } from '../api/knock.js'
import { FakeNft } from '../kernel/fake.js'
import type { NftValue } from '../nft/document.js'
import { type Listing, parseListing } from '../nft/listing.js'
import type { KnockSpec } from '../spec/generated/knock-types.js'
import { viewState } from './state-of-table.js'

const NOW = Date.parse('2026-11-21T10:00:00.000Z')
const TOKEN = '00ffeeddccbbaa998877665544332211'

t.test('each part of a state is read from the table', async (t) => {
  const timed = (val: NftValue, expires: number) => ({ elem: { val, timeout: 900, expires } })
  const set = (name: string, ...elem: NftValue[]) => ({ set: { name, elem } })
  const listing: Listing = parseListing({
    nftables: [
      set('grants_ssh_4', timed('203.0.113.7', 25), timed('203.0.113.8', 0)),
      set('grants_web_6', timed('2001:db8::7', 60)),
      set('grants_all_0', timed('0x00000000', 5)),
      set('used2_web_6', timed('2001:db8::7', 90), timed('2001:db8::8', 90)),
      set('banned_4', timed('203.0.113.66', 600), timed('203.0.113.67', 0)),
      // nft leaves out the zeros that it begins with; and it is kept to the last second.
      set('spent_ssh_0', timed(`0x${TOKEN.replace(/^0+/, '')}`, 0)),
      set('spent0123456789ab_ssh_0', 0),
      set('spentba9876543210_ssh_0'),
      set('spent_gone_0', timed('0x7', 60)),
      set('spent00112233aabb_gone_0', 0),
      set('grants_gone_4', timed('203.0.113.7', 25)),
      set('tokens1_ssh_0', timed('0x1', 5)),
    ],
  })
  const door = { services: [], knocks: [], grantTimeout: 30, established: 'keep' } as const
  const doors = [
    { ...door, name: 'ssh', scope: 'source', connections: undefined },
    { ...door, name: 'web', scope: 'source', connections: 3 },
    { ...door, name: 'all', scope: 'everyone', connections: undefined },
  ] as const
  t.strictSame(viewState('knock', doors, listing, NOW), {
    version: 1,
    table: 'knock',
    saved: '2026-11-21T10:00:00.000Z',
    grants: [
      { door: 'ssh', source: '203.0.113.7', until: '2026-11-21T10:00:25.000Z' },
      { door: 'web', source: '2001:db8::7', until: '2026-11-21T10:01:00.000Z', used: 2 },
      { door: 'all', source: 'everyone', until: '2026-11-21T10:00:05.000Z' },
    ],
    bans: [{ source: '203.0.113.66', until: '2026-11-21T10:10:00.000Z' }],
    tokens: [
      { door: 'ssh', token: TOKEN, until: '2026-11-21T10:00:01.000Z' },
      { door: 'gone', token: '7'.padStart(32, '0'), until: '2026-11-21T10:01:00.000Z' },
    ],
    sequences: [
      { door: 'ssh', digest: '0123456789ab' },
      { door: 'gone', digest: '00112233aabb' },
    ],
  })
})

t.test('a state is saved and restored', async (t) => {
  const secretFile = `${t.testdir({ secret: 'sixteen bytes at least' })}/secret`
  await chmod(secretFile, 0o600)
  const users = [{ name: 'ann', secretFile }]
  const spec: KnockSpec = {
    doors: [
      {
        name: 'ssh',
        service: 'tcp/22',
        knock: [
          { type: 'token', port: 'udp/6000', period: '1h', users },
          { type: 'sequence', steps: ['udp/7000'] },
        ],
        open: { for: '30s' },
      },
    ],
  }
  const nft = new FakeNft()
  const knock = await installKnock(spec, { nft })
  await knock.door('ssh').open('203.0.113.7')
  const used = { elem: { val: `0x${TOKEN}`, timeout: 1000 } }
  const inTable = { family: 'inet', table: 'knock' } as const
  const element = { ...inTable, name: 'spent_ssh_0', elem: [used] }
  await nft.apply({ nftables: [{ add: { element } }] })
  const state = await knock.save()
  t.match(state, { grants: [{ source: '203.0.113.7' }], tokens: [{ token: TOKEN }] })
  await knock.uninstall()
  const again = await installKnock(spec, { nft, state })
  t.match(await again.save(), { grants: [{ source: '203.0.113.7' }], tokens: [{ token: TOKEN }] })
  await again.door('ssh').close('203.0.113.7')
  t.match(await again.restore(state), {
    restored: { grants: 1, tokens: 0 },
    skipped: { present: 1 },
  })
  t.match(await again.restore(state), { restored: { grants: 0 }, skipped: { present: 2 } })
  t.match(await again.metrics(), /knocklib_active_grants\{table="knock",door="ssh"\} 1\n/)
  await t.rejects(again.restore({ ...state, table: '9' }), { code: 'invalid-state' })
})
