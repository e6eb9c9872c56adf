// The contract's cases: what each Nft does with tables.
import type { Test } from 'tap'
import {
  attachKnock,
  installKnock,
  type KernelOptions,
  type KnockSpec,
  type Nft,
  type NftDocument,
} from '../../lib/index.js'
import { COUNTS } from './contract-counts.js'
import { DOCUMENTS, inTable, OTHER, snapshot, table } from './contract-documents.js'
import { type Case, RELOADS, SPEC } from './contract-reload.js'
import { STATES } from './contract-state.js'
import { TAGS } from './contract-tags.js'

/** Returns a handle that reads the spec from the table. */
async function attachedTo(spec: KnockSpec, options: KernelOptions) {
  await installKnock(spec, options)
  return attachKnock(options)
}

const CASES: Readonly<Record<string, Case>> = {
  async 'installs, lists, finds again, removes'(t, _nft, options) {
    await t.rejects(attachKnock(options), { code: 'not-found' })
    const knock = await installKnock(SPEC, options)
    t.strictSame(
      knock.doors.map(({ name, services }) => [name, services]),
      [
        ['ssh', ['tcp/22']],
        ['web', ['tcp/443', 'udp/5000-5010']],
      ],
    )
    const found = await attachKnock(options)
    t.strictSame(await found.status(), await knock.status())
    t.strictSame(await knock.counters(), {
      ssh: { knocks: 0, grants: 0, closes: 0, resets: 0, wrong: 0, denied: 0 },
      web: { knocks: 0, grants: 0, closes: 0, resets: 0, wrong: 0, denied: 0 },
    })
    await found.uninstall()
    await t.rejects(knock.status(), { code: 'not-found' })
    await knock.uninstall()
  },

  async 'opens, renews and closes'(t, _nft, options) {
    await using knock = await installKnock(SPEC, options)
    const ssh = knock.door('ssh')
    t.strictSame(await ssh.open('203.0.113.7'), {
      door: 'ssh',
      source: '203.0.113.7',
      expiresIn: 30,
    })
    await ssh.open('2001:DB8:0::7', { for: '10m' })
    await ssh.open('::ffff:203.0.113.8', { for: 90 })
    const rounded = async () =>
      (await ssh.grants())
        .map(({ source, expiresIn }) => `${source} ${Math.ceil(expiresIn / 5) * 5}`)
        .sort()
    t.strictSame(await rounded(), ['2001:db8::7 600', '203.0.113.7 30', '203.0.113.8 90'])
    await ssh.open('203.0.113.8', { for: '5m' })
    await ssh.open('2001:db8::7')
    t.strictSame(await rounded(), ['2001:db8::7 30', '203.0.113.7 30', '203.0.113.8 300'])
    t.equal(await ssh.close('203.0.113.7'), true)
    t.equal(await ssh.close('203.0.113.7'), false)
    t.equal(await ssh.close('198.51.100.1'), false)
    t.equal((await ssh.grants()).length, 2)
    const each = []
    for await (const { source } of ssh.eachGrant()) each.push(source)
    t.strictSame(each.sort(), ['2001:db8::7', '203.0.113.8'])
    t.strictSame(await knock.door('web').grants(), [], 'the other door stays closed')
    await knock.uninstall()
    await t.rejects(ssh.open('203.0.113.7'), { code: 'not-found' })
    await t.rejects(ssh.close('203.0.113.7'), { code: 'not-found' })
  },

  async 'opens a door that counts connections, with none used'(t, nft, options) {
    await using knock = await installKnock(SPEC, options)
    const web = knock.door('web')
    const used = { ...inTable, name: 'used2_web_4', elem: ['203.0.113.7'] }
    await nft.apply({ nftables: [{ add: { element: used } }] })
    await web.open('203.0.113.7')
    await t.rejects(nft.apply({ nftables: [{ delete: { element: used } }] }), { code: 'not-found' })
    await t.rejects(web.open('203.0.113.7', { for: '2d' }), { code: 'invalid-argument' })
  },

  async 'refuses what is no address and no duration, before nft sees it'(t, _nft, options) {
    await using knock = await installKnock(SPEC, options)
    const ssh = knock.door('ssh')
    const wrong = ['', 'localhost', '010.0.0.1', '10.0.0.0/8', 'fe80::1%eth0', '1.2.3', '1.2.3.4 }']
    for (const source of wrong) {
      await t.rejects(ssh.open(source), { code: 'invalid-argument' }, JSON.stringify(source))
      await t.rejects(ssh.close(source), { code: 'invalid-argument' }, JSON.stringify(source))
    }
    for (const duration of [0, 0.5, -1, '500ms', '0s', '1h30m', 'for ever', '366d']) {
      const opening = ssh.open('203.0.113.7', { for: duration })
      await t.rejects(opening, { code: 'invalid-argument' }, JSON.stringify(duration))
    }
    t.strictSame(await ssh.grants(), [])
    t.throws(() => knock.door('nosuch'), { code: 'not-found' })
  },

  async 'the same spec again changes nothing; another one replaces'(t, nft, options) {
    await using knock = await installKnock(SPEC, options)
    await knock.door('ssh').open('203.0.113.7', { for: '10m' })
    const before = await snapshot(nft)
    const again = await installKnock(structuredClone(SPEC), options)
    t.equal((await again.door('ssh').grants()).length, 1)
    t.equal((await snapshot(nft)).length, before.length)
    await using other = await installKnock(OTHER, options)
    t.strictSame(
      other.doors.map(({ name }) => name),
      ['mail'],
    )
    await t.rejects(knock.door('ssh').grants(), { code: 'not-found' })
  },

  async 'a handle opens the doors that others have installed meanwhile'(t, nft, options) {
    const knock = await attachedTo(SPEC, options)
    const [ssh, web] = [knock.door('ssh'), knock.door('web')]
    const counted = structuredClone(SPEC) as unknown as { doors: { open: object }[] }
    Object.assign(counted.doors[0] as object, { open: { for: '90s', connections: 3 } })
    Object.assign(counted.doors[1] as object, { open: { for: '60s', scope: 'everyone' } })
    await using _other = await installKnock(counted as unknown as KnockSpec, options)
    const used = { ...inTable, name: 'used2_ssh_6', elem: ['2001:db8::7'] }
    await nft.apply({ nftables: [{ add: { element: used } }] })
    t.equal((await ssh.open('2001:db8::7')).expiresIn, 90)
    await t.rejects(nft.apply({ nftables: [{ delete: { element: used } }] }), { code: 'not-found' })
    t.equal(await web.close('everyone'), false)
    t.equal((await web.open('everyone')).source, 'everyone')
    t.equal(await web.close('everyone'), true)
    await using _last = await installKnock(OTHER, options)
    const gone = { code: 'not-found', message: /no door "ssh", there is mail/ }
    await t.rejects(ssh.close('2001:db8::7'), gone)
    await t.rejects(ssh.grants(), gone)
    t.strictSame(
      (await knock.status()).doors.map(({ name }) => name),
      ['mail'],
    )
    await knock.door('mail').open('203.0.113.7')
    t.strictSame(
      (await knock.save()).grants.map(({ door }) => door),
      ['mail'],
    )
  },

  async 'puts a table right that a hand has changed'(t, nft, options) {
    await using knock = await installKnock(SPEC, options)
    const whole = await snapshot(nft)
    const without = whole.match(/"rule"/g)?.length
    const flush: NftDocument = {
      nftables: [{ flush: { chain: { ...inTable, name: 'gate_ssh' } } }],
    }
    await nft.apply(flush)
    t.not((await snapshot(nft)).match(/"rule"/g)?.length, without)
    await installKnock(SPEC, options)
    t.equal((await snapshot(nft)).match(/"rule"/g)?.length, without)
    t.equal(knock.table, 'knock')
  },

  async 'leaves a table alone that is not ours'(t, nft, options) {
    await nft.apply({ nftables: [{ add: table('knock') }] })
    await t.rejects(installKnock(SPEC, options), { code: 'already-exists' })
    await t.rejects(attachKnock(options), { code: 'not-found' })
    await nft.list({ table: 'knock' })
    await nft.apply({ nftables: [{ delete: table('knock') }] })
  },

  async 'two tables stand beside each other'(t, _nft, options) {
    await using one = await installKnock(SPEC, options)
    await using two = await installKnock({ ...OTHER, table: 'second' }, options)
    await one.uninstall()
    t.equal((await two.status()).table, 'second')
  },

  async 'stops when told to'(t, _nft, options) {
    const signal = AbortSignal.abort()
    await t.rejects(installKnock(SPEC, { ...options, signal }), { code: 'aborted' })
    await t.rejects(attachKnock(options), { code: 'not-found' })
  },

  async 'many at once: each ends in a defined state'(t, _nft, options) {
    await using knock = await installKnock(SPEC, options)
    const sources = Array.from({ length: 20 }, (_, index) => `203.0.113.${index}`)
    await Promise.all(sources.map((source) => knock.door('ssh').open(source)))
    t.equal((await knock.door('ssh').grants()).length, 20)
    const closed = await Promise.all(sources.map((source) => knock.door('ssh').close(source)))
    t.ok(closed.every(Boolean))
    t.strictSame(await knock.door('ssh').grants(), [])
  },
}

/** The cases about nft itself and about tables. */
export const TABLES: Readonly<Record<string, Case>> = {
  ...CASES,
  ...DOCUMENTS,
  ...RELOADS,
  ...COUNTS,
  ...STATES,
  ...TAGS,
}

export async function runCases(
  t: Test,
  cases: Readonly<Record<string, Case>>,
  nft: Nft,
  options: KernelOptions = { nft },
): Promise<void> {
  for (const [name, run] of Object.entries(cases)) await t.test(name, (t) => run(t, nft, options))
}
