// The contract's cases that change and list grants and bans: the same through nft and netlink.
import { installKnock, type KnockSpec } from '../../lib/index.js'
import { type Case, SPEC } from './contract-reload.js'

const inTable = { family: 'inet', table: 'knock' } as const

/** Returns different sources of both families. */
const manySources = (count: number): string[] =>
  Array.from({ length: count }, (_, index) =>
    index % 3 === 0 ? `2001:db8::${(index + 1).toString(16)}` : `10.1.${index >> 8}.${index & 255}`,
  )

const FOR_ALL: KnockSpec = {
  guard: { ban: { after: 3, within: '1m', for: '10m' } },
  doors: [
    {
      name: 'all',
      service: 'tcp/80',
      knock: { type: 'sequence', steps: ['tcp/7000', 'tcp/7001'] },
      open: { for: '30s', scope: 'everyone' },
    },
  ],
}

export const ELEMENTS: Readonly<Record<string, Case>> = {
  async 'opens many at once, finds each, and closes those that are there'(t, _nft, options) {
    await using knock = await installKnock(SPEC, options)
    const ssh = knock.door('ssh')
    const sources = ['203.0.113.7', '2001:DB8:0::7', '::ffff:203.0.113.7', '203.0.113.8']
    t.strictSame(await ssh.openMany(sources, { for: '10m' }), [
      { door: 'ssh', source: '203.0.113.7', expiresIn: 600 },
      { door: 'ssh', source: '2001:db8::7', expiresIn: 600 },
      { door: 'ssh', source: '203.0.113.8', expiresIn: 600 },
    ])
    t.match(await ssh.grantOf('::ffff:203.0.113.7'), { door: 'ssh', source: '203.0.113.7' })
    t.match(await ssh.grantOf('2001:db8::0:7'), { source: '2001:db8::7' })
    t.equal(await ssh.grantOf('203.0.113.9'), undefined)
    t.equal(await ssh.grantOf('2001:db8::8'), undefined)
    t.strictSame(await ssh.openMany([]), [])
    await ssh.openMany(['203.0.113.8'])
    t.ok(((await ssh.grantOf('203.0.113.8'))?.expiresIn ?? 99) <= 30, 'the grant is renewed')
    const leaving = ['203.0.113.9', '203.0.113.8', '2001:db8::7', '2001:db8::8', '203.0.113.8']
    t.strictSame((await ssh.closeMany(leaving)).sort(), ['2001:db8::7', '203.0.113.8'])
    t.strictSame(await ssh.closeMany(leaving), [])
    t.strictSame(await ssh.closeMany([]), [])
    t.strictSame(
      (await ssh.grants()).map(({ source }) => source),
      ['203.0.113.7'],
    )
  },

  async 'closes every door at once, whatever its scope and its count'(t, _nft, options) {
    const [one] = SPEC.doors
    const [all] = FOR_ALL.doors
    const doors = [...SPEC.doors, { ...(all as typeof one), name: 'all', service: 'tcp/81' }]
    await using knock = await installKnock({ ...SPEC, doors } as KnockSpec, options)
    t.strictSame(await knock.closeAll(), [], 'no grant is no error')
    await knock.door('ssh').openMany(['203.0.113.7', '2001:db8::7'])
    await knock.door('web').open('203.0.113.8')
    await knock.door('all').open('everyone')
    await t.rejects(knock.closeAll({ cut: true }), {
      code: 'missing-capability',
      message: /^closeAll: ssh, web, all keep established connections/,
    })
    t.equal((await knock.door('ssh').grants()).length, 2, 'refused: nothing is closed')
    const closed = await knock.closeAll()
    t.strictSame(closed.map(({ door, source }) => `${door} ${source}`).sort(), [
      'all everyone',
      'ssh 2001:db8::7',
      'ssh 203.0.113.7',
      'web 203.0.113.8',
    ])
    const { doors: left } = await knock.status()
    t.ok(left.every(({ grants }) => grants.length === 0))
    t.strictSame(await knock.closeAll(), [])
    t.equal((await knock.door('web').open('203.0.113.8')).source, '203.0.113.8')
    await knock.uninstall()
    await t.rejects(knock.closeAll(), { code: 'not-found' })
  },

  async 'opens nobody where one of many is none'(t, _nft, options) {
    await using knock = await installKnock(SPEC, options)
    const ssh = knock.door('ssh')
    const code = { code: 'invalid-argument' }
    await t.rejects(ssh.openMany(['203.0.113.7', 'localhost']), code)
    await t.rejects(ssh.openMany(['203.0.113.7'], { for: '0s' }), code)
    t.strictSame(await ssh.grants(), [])
    await ssh.open('203.0.113.7')
    await t.rejects(ssh.closeMany(['203.0.113.7', '10.0.0.0/8']), code)
    await t.rejects(ssh.grantOf('localhost'), code)
    t.equal((await ssh.grants()).length, 1)
  },

  async 'opens more than go in one transaction, and counts none of their connections'(
    t,
    nft,
    options,
  ) {
    await using knock = await installKnock(SPEC, options)
    const sources = manySources(1100)
    const used = {
      ...inTable,
      name: 'used2_web_4',
      elem: [{ elem: { val: '10.1.0.1', timeout: 60 } }],
    }
    await nft.apply({ nftables: [{ add: { element: used } }] })
    for (const [name, count] of [
      ['ssh', 1100],
      ['web', 70],
    ] as const) {
      const door = knock.door(name)
      t.equal((await door.openMany(sources.slice(0, count))).length, count)
      const each = new Set<string>()
      for await (const { source } of door.eachGrant()) each.add(source)
      t.strictSame([...each].sort(), sources.slice(0, count).sort(), name)
      const closed = await door.closeMany([...manySources(1300), ...sources])
      t.strictSame(closed.sort(), sources.slice(0, count).sort(), name)
      t.strictSame(await door.grants(), [], name)
    }
    const counted = { ...used, elem: ['10.1.0.1'] }
    const deleting = nft.apply({ nftables: [{ delete: { element: counted } }] })
    await t.rejects(deleting, { code: 'not-found' })
  },

  async 'a door for everyone has one grant'(t, _nft, options) {
    await using knock = await installKnock(FOR_ALL, options)
    const all = knock.door('all')
    t.equal(await all.grantOf('everyone'), undefined)
    const grant = { door: 'all', source: 'everyone', expiresIn: 600 }
    t.strictSame(await all.openMany(['everyone', 'everyone'], { for: 600 }), [grant])
    t.match(await all.grants(), [{ door: 'all', source: 'everyone' }])
    t.match(await all.grantOf('everyone'), { source: 'everyone' })
    t.strictSame(await all.closeMany(['everyone']), ['everyone'])
    t.equal(await all.close('everyone'), false)
    await t.rejects(all.open('203.0.113.7'), { code: 'invalid-argument' })
  },

  async 'lists bans and ends them'(t, nft, options) {
    await using knock = await installKnock(FOR_ALL, options)
    t.strictSame(await knock.bans(), [])
    const ban = (family: 4 | 6, val: string) => {
      const elem = [{ elem: { val, timeout: 600 } }]
      return { add: { element: { ...inTable, name: `banned_${family}`, elem } } }
    }
    await nft.apply({ nftables: [ban(4, '203.0.113.7'), ban(6, '2001:db8::7')] })
    t.match(await knock.bans(), [{ source: '203.0.113.7' }, { source: '2001:db8::7' }])
    t.equal(await knock.unban('203.0.113.7'), true)
    t.equal(await knock.unban('203.0.113.7'), false)
    t.match(await knock.bans(), [{ source: '2001:db8::7' }])
    await using other = await installKnock({ ...SPEC, table: 'second' }, options)
    t.strictSame(await other.bans(), [], 'a table without bans has no ban')
    t.equal(await other.unban('2001:db8::7'), false)
  },

  async 'a table that is gone is not found by any call'(t, _nft, options) {
    const knock = await installKnock(FOR_ALL, options)
    const ssh = (await installKnock({ ...SPEC, table: 'second' }, options)).door('ssh')
    await knock.uninstall()
    const gone = { name: 'NftError', code: 'not-found' }
    await t.rejects(knock.bans(), gone)
    await t.rejects(knock.unban('203.0.113.7'), gone)
    const all = knock.door('all')
    await t.rejects(all.open('everyone'), gone)
    await t.rejects(all.close('everyone'), gone)
    await t.rejects(all.grantOf('everyone'), gone)
    await t.rejects(all.grants(), gone)
    t.strictSame(await ssh.grants(), [])
    await installKnock({ ...SPEC, table: 'second' }, options).then((second) => second.uninstall())
    await t.rejects(ssh.openMany(manySources(1000)), gone)
    await t.rejects(ssh.closeMany(manySources(1000)), gone)
    await t.rejects(ssh.grantOf('203.0.113.7'), gone)
  },

  async 'stops when told to, before anything is changed'(t, _nft, options) {
    const stop = new AbortController()
    await using knock = await installKnock(SPEC, options)
    const held = await installKnock(SPEC, { ...options, signal: stop.signal })
    stop.abort()
    const door = held.door('ssh')
    const aborted = { name: 'NftError', code: 'aborted' }
    await t.rejects(door.open('203.0.113.7'), aborted)
    await t.rejects(door.close('203.0.113.7'), aborted)
    await t.rejects(door.grants(), aborted)
    await t.rejects(door.grantOf('203.0.113.7'), aborted)
    t.strictSame(await knock.door('ssh').grants(), [])
  },
}
