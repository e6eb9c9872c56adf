import t from 'tap'
import {
  installationOf,
  KEPT,
  sizes,
  specOf,
  ssh,
  web,
} from '../../integration/fixtures/installed.js'
import { attachKnock, installKnock, type KnockSpec, type NftDocument, NftError } from '../index.js'
import { FakeNft } from '../kernel/fake.js'
import type { ListQuery } from '../kernel/nft.js'

type Listed = Record<string, { name?: string; comment?: string; elem?: unknown[] }>

/**
 * Lists a table otherwise than it is, so many times, as the kernel does while somebody's change
 * fails.
 */
class Mislisted extends FakeNft {
  wrong: ((objects: Listed[]) => Listed[]) | undefined
  times = 0

  override async list(query: ListQuery, options = {}): Promise<unknown> {
    const listing = (await super.list(query, options)) as { nftables: Listed[] }
    if (!this.wrong || this.times === 0) return listing
    const wrong = { nftables: this.wrong(structuredClone(listing.nftables)) }
    // A table's parts are listed one by one: not each has what goes wrong.
    if (JSON.stringify(wrong.nftables) === JSON.stringify(listing.nftables)) return listing
    this.times -= 1
    return wrong
  }
}

const trusting = (...trusted: string[]): KnockSpec => ({ ...specOf(ssh), guard: { trusted } })

/**
 * Refuses, as the kernel does, to delete a set that a rule names; the ruleset in memory calls it
 * not found.
 */
class Refusing extends Mislisted {
  override async apply(document: NftDocument, options = {}): Promise<void> {
    const deleted = document.nftables.flatMap((command) =>
      'delete' in command ? Object.keys(command.delete) : [],
    )
    if (deleted.includes('set') && !deleted.includes('rule')) throw new NftError('rejected', 'busy')
    await super.apply(document, options)
  }
}

t.test('elements that a listing left out do not stay in the table', async (t) => {
  const nft = new Mislisted()
  await installKnock(trusting('10.0.0.0/8', '192.0.2.0/24'), { nft })
  nft.wrong = (objects) =>
    objects.map((object) => {
      const { set } = object
      return set?.name === 'trusted_4'
        ? { set: { ...set, elem: set.elem?.slice(0, 1) ?? [] } }
        : object
    })
  nft.times = 1
  const installed = await installKnock(trusting('10.0.0.0/8'), { nft })
  t.equal(nft.times, 0)
  t.equal((await sizes(nft))['trusted_4'], 1)
  const own = installationOf(installed)
  t.equal(await own?.ensure({ operation: 'again' }, KEPT), 'unchanged')
  nft.times = 1
  t.equal(
    await installationOf(
      await installKnock(trusting('10.0.0.0/8', '192.0.2.0/24'), { nft }),
    )?.ensure({ operation: 'again' }, KEPT),
    'unchanged',
  )
  nft.times = 1
  t.equal(
    await own?.ensure({ operation: 'back' }, KEPT),
    'changed',
    'the table is replaced in more than one step',
  )
  nft.times = Number.POSITIVE_INFINITY
  const call = installKnock(trusting('198.51.100.0/24', '192.0.2.0/24'), { nft })
  await t.rejects(call, { code: 'unverified', message: /not what was asked for, after 12 tries/ })
})

t.test('a rule that is listed twice is deleted once', async (t) => {
  const nft = new Mislisted()
  await installKnock(specOf(ssh, web), { nft })
  nft.wrong = (objects) =>
    objects.map((object) => {
      const { map } = object
      return map ? { map: { ...map, elem: [...(map.elem ?? []), ...(map.elem ?? [])] } } : object
    })
  nft.times = 1
  await installKnock(specOf(ssh), { nft })
  t.equal(nft.times, 0)
  const { doors } = await attachKnock({ nft })
  t.strictSame(
    doors.map(({ name }) => name),
    ['ssh'],
  )
})

t.test('confirm succeeds although a listing left out a rule', async (t) => {
  const nft = new Refusing()
  const knock = await installKnock(specOf(ssh), { nft, confirmWithin: '60s' })
  nft.wrong = (objects) => objects.filter(({ rule }) => rule?.comment !== 'unconfirmed')
  nft.times = 1
  await knock.confirm()
  t.equal(nft.times, 0)
  t.equal((await knock.status()).confirm, undefined)
  const again = await installKnock(specOf(ssh), { nft, confirmWithin: '60s' })
  nft.times = 3
  await t.rejects(again.confirm(), { code: 'rejected' }, 'confirm fails if nft refuses each try')
})
