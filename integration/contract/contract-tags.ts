// The contract's cases of doors at ingress: the table of tags is made, removed and kept with the
// doors' table.
import {
  attachKnock,
  installKnock,
  type KnockSpec,
  type Nft,
  renderKnock,
} from '../../lib/index.js'
import { standingTags } from '../../lib/nft/tags.js'
import { listTags } from '../../lib/table/installation.js'
import type { Case } from './contract-reload.js'

const specOf = (hook: 'ingress' | 'prerouting'): KnockSpec => ({
  hook,
  interfaces: ['lo'],
  doors: [
    {
      name: 'ssh',
      service: 'tcp/22',
      knock: { type: 'sequence', steps: ['udp/7000'] },
      open: { for: '30s' },
    },
  ],
})

const INGRESS = specOf('ingress')
const table = { family: 'netdev', name: 'knock' } as const

const tags = async (nft: Nft) =>
  standingTags(await listTags(nft, 'knock', {}), renderKnock(INGRESS))

export const TAGS: Readonly<Record<string, Case>> = {
  async 'the table against tags comes and goes with doors at ingress'(t, nft, options) {
    const knock = await installKnock(INGRESS, options)
    await knock.door('ssh').open('203.0.113.7')
    t.equal(await tags(nft), 'intact')
    const before = JSON.stringify(await nft.list({ table: 'knock' })).length
    await nft.apply({ nftables: [{ delete: { table } }] })
    t.equal(await tags(nft), 'none')
    await installKnock(INGRESS, options)
    t.equal(await tags(nft), 'intact', 'the missing table of tags is put back')
    await nft.apply({ nftables: [{ flush: { table } }] })
    t.equal(await tags(nft), 'altered')
    await installKnock(INGRESS, options)
    t.equal(await tags(nft), 'intact', 'the table of tags is put back with its rules')
    t.equal(JSON.stringify(await nft.list({ table: 'knock' })).length, before)
    t.equal((await knock.door('ssh').grants()).length, 1, 'the doors stay as they were')
    await installKnock(specOf('prerouting'), options)
    t.equal(await tags(nft), 'none', 'another hook needs no table of tags')
    await installKnock(INGRESS, options)
    t.equal(await tags(nft), 'intact', 'the first hook needs the table of tags again')
    await nft.apply({ nftables: [{ delete: { table } }] })
    await installKnock(specOf('prerouting'), options)
    t.equal(await tags(nft), 'none', 'a missing table of tags is no error')
    {
      await using _block = await installKnock(INGRESS, options)
      t.equal(await tags(nft), 'intact')
    }
    t.equal(await tags(nft), 'none', 'the end of a block removes the table of tags')
    await installKnock(INGRESS, options)
    await (await attachKnock(options)).uninstall()
    t.equal(await tags(nft), 'none', 'uninstall removes the table of tags')
    await installKnock(INGRESS, options)
    await nft.apply({ nftables: [{ delete: { table } }] })
    await knock.uninstall()
    await t.rejects(attachKnock(options), { code: 'not-found' }, 'the main table is removed, too')
  },

  async 'a table of family netdev that is not ours is not touched'(t, nft, options) {
    const chain = { family: 'netdev', table: 'knock', name: 'own' } as const
    const foreign = { nftables: [{ add: { table } }, { add: { chain } }] }
    await nft.apply(foreign)
    const message = /table netdev knock: exists already and was not made by knocklib/
    await t.rejects(installKnock(INGRESS, options), { code: 'already-exists', message })
    await t.rejects(attachKnock(options), { code: 'not-found' }, 'nothing was installed')
    const knock = await installKnock(specOf('prerouting'), options)
    await t.rejects(installKnock(INGRESS, options), { code: 'already-exists', message })
    await knock.uninstall()
    t.equal(await tags(nft), 'foreign')
    await nft.apply({ nftables: [{ delete: { table } }] })
    await installKnock(INGRESS, options)
    await nft.apply({ nftables: [{ delete: { table } }, ...foreign.nftables] })
    await installKnock(specOf('prerouting'), options)
    t.equal(await tags(nft), 'foreign', 'a foreign table stands in place of ours')
    await nft.apply({ nftables: [{ delete: { table } }] })
    await installKnock(INGRESS, options)
    await nft.apply({ nftables: [{ delete: { table } }, ...foreign.nftables] })
    await knock.uninstall()
    t.equal(await tags(nft), 'foreign', 'the end of a block leaves the foreign table')
    await nft.apply({ nftables: [{ delete: { table } }] })
  },
}
