// The contract's cases that save a table's state and restore it.
import { installKnock, type KnockSpec, type KnockState, type Nft } from '../../lib/index.js'
import { knowsTypeof } from '../../lib/kernel/process/capability.js'
import type { NftValue } from '../../lib/nft/document.js'
import type { Case } from './contract-reload.js'

const SPEC: KnockSpec = {
  guard: { ban: { after: 2, within: '1m', for: '10m' } },
  doors: [
    {
      name: 'ssh',
      service: 'tcp/22',
      knock: { type: 'sequence', oneTime: [['udp/7000'], ['udp/7001']], stepTimeout: '5s' },
      open: { for: '30s' },
    },
    {
      name: 'web',
      service: 'tcp/443',
      knock: { type: 'sequence', steps: ['udp/7002'] },
      open: { for: '60s', connections: 3 },
    },
    {
      name: 'all',
      service: 'tcp/80',
      knock: { type: 'sequence', steps: ['udp/7003'] },
      open: { for: '60s', scope: 'everyone' },
    },
  ],
}

const add = (nft: Nft, name: string, ...elem: NftValue[]) =>
  nft.apply({ nftables: [{ add: { element: { family: 'inet', table: 'knock', name, elem } } }] })
const timed = (val: string, timeout: number) => ({ elem: { val, timeout } })

/** Returns a state without its times. */
const outline = ({ grants, bans, tokens, sequences }: KnockState) => ({
  grants: grants.map(({ door, source, used }) => `${door} ${source} ${used ?? '-'}`).sort(),
  bans: bans.map(({ source }) => source).sort(),
  tokens,
  sequences,
})

const secondsLeft = ({ saved, grants }: KnockState, of: string): number => {
  const until = grants.find(({ source }) => source === of)?.until ?? saved
  return Math.round((Date.parse(until) - Date.parse(saved)) / 1000)
}

export const STATES: Readonly<Record<string, Case>> = {
  async 'saves a state, and puts it into a table that is new'(t, nft, options) {
    const knock = await installKnock(SPEC, options)
    t.strictSame(outline(await knock.save()), { grants: [], bans: [], tokens: [], sequences: [] })
    await knock.door('ssh').open('203.0.113.7', { for: '10m' })
    await knock.door('ssh').open('2001:db8::7', { for: '60s' })
    await knock.door('web').open('203.0.113.7')
    await knock.door('all').open('everyone')
    await add(nft, 'used2_web_4', timed('203.0.113.7', 600))
    await add(nft, 'banned_6', timed('2001:db8::9', 600))
    const listing = JSON.stringify(await nft.list({ table: 'knock' }))
    const [, digest = ''] = /"spent([0-9a-f]{12})_ssh_0"/.exec(listing) ?? []
    await add(nft, `spent${digest}_ssh_0`, 0)
    const state = await knock.save()
    const expected = {
      grants: ['all everyone -', 'ssh 2001:db8::7 -', 'ssh 203.0.113.7 -', 'web 203.0.113.7 2'],
      bans: ['2001:db8::9'],
      tokens: [],
      sequences: [{ door: 'ssh', digest }],
    }
    t.strictSame(outline(state), expected)
    const left = secondsLeft(state, '2001:db8::7')
    t.ok(left > 30 && left <= 60, `${left} s`)
    await knock.uninstall()

    await using again = await installKnock(SPEC, { ...options, state })
    t.strictSame(outline(await again.save()), expected)
    const { expiresIn } = (await again.door('ssh').grants()).find(
      ({ source }) => source === '203.0.113.7',
    ) ?? { expiresIn: 0 }
    t.ok(expiresIn > 560 && expiresIn < 600)
    t.match(await again.restore(state), {
      restored: { grants: 0, bans: 0, sequences: 0 },
      skipped: { present: 6 },
    })
    t.strictSame(outline(await again.save()), expected, 'a second restore changes nothing')
  },

  async 'a table that stands takes of a state what has been used'(t, _nft, options) {
    await using knock = await installKnock(SPEC, options)
    await knock.door('ssh').open('203.0.113.7', { for: '10m' })
    const state = await knock.save()
    await knock.door('ssh').close('203.0.113.7')
    const again = await installKnock(SPEC, { ...options, state })
    t.strictSame(await again.door('ssh').grants(), [])
    const { restored } = await again.restore(state)
    t.equal(restored.grants, 1, 'the grant comes back if restore is asked for it')
  },

  async 'what was used at a door that is gone stays used when both come back'(t, nft, options) {
    const without = { ...SPEC, doors: SPEC.doors.slice(1) }
    const knock = await installKnock(SPEC, options)
    const listing = JSON.stringify(await nft.list({ table: 'knock' }))
    const [, digest = ''] = /"spent([0-9a-f]{12})_ssh_0"/.exec(listing) ?? []
    await add(nft, `spent${digest}_ssh_0`, 0)
    const used = [{ door: 'ssh', digest }]
    const gone = await installKnock(without, options)
    const state = await gone.save()
    t.strictSame(state.sequences, used, 'the used sequences are saved')
    await knock.uninstall()
    const again = await installKnock(without, { ...options, state })
    t.strictSame((await again.save()).sequences, used, 'the used sequences are in the table again')
    const other = (value: KnockState) => ({
      ...value,
      sequences: [{ door: 'ssh', digest: '0123456789ab' }],
    })
    t.match(
      await again.restore(other(state)),
      { restored: { sequences: 1 } },
      'one more sequence is restored',
    )
    t.match(
      await again.restore(other(state)),
      { skipped: { present: 1 } },
      'the sequence is restored once',
    )
    const until = new Date(Date.parse(state.saved) + 600_000).toISOString()
    const tokens = [{ door: 'vpn', token: '00'.padEnd(32, 'a'), until }]
    const { restored } = await again.restore({ ...state, tokens })
    t.equal(
      restored.tokens,
      knowsTypeof(await nft.version()) ? 1 : 0,
      'tokens are restored if nft knows them',
    )
    const held = (await again.save()).tokens.map(({ door, token }) => ({ door, token }))
    const [{ door, token }] = tokens as [(typeof tokens)[number]]
    t.strictSame(held, restored.tokens > 0 ? [{ door, token }] : [])
    await installKnock(without, { ...options, state })
    await using back = await installKnock(SPEC, options)
    const { sequences } = await back.save()
    const digests = sequences.map(({ digest }) => digest).sort()
    t.strictSame(
      digests,
      ['0123456789ab', digest].sort(),
      'the sequence is restored when its door exists',
    )
  },

  async 'a state that is wrong changes nothing'(t, nft, options) {
    const knock = await installKnock(SPEC, options)
    const state = await knock.save()
    const wrong = { ...state, bans: [{ source: 'host', until: state.saved }] }
    const expected = { code: 'invalid-state', message: /\/bans\/0\/source: expected an IPv4 or/ }
    const before = JSON.stringify(await nft.list({ table: 'knock' }))
    await t.rejects(knock.restore(wrong), expected)
    t.equal(JSON.stringify(await nft.list({ table: 'knock' })), before)
    await knock.uninstall()
    await t.rejects(installKnock(SPEC, { ...options, state: wrong }), expected)
    await t.rejects(knock.save(), { code: 'not-found' })
    await t.rejects(knock.restore(state), { code: 'not-found' })
  },
}
