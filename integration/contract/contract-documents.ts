// The contract's cases: what each Nft does with any document.
import {
  attachKnock,
  checkKnock,
  installKnock,
  type KnockSpec,
  type Nft,
  type NftDocument,
  renderKnock,
} from '../../lib/index.js'
import { type Case, SPEC } from './contract-reload.js'

/** A spec that differs from SPEC, with another door. */
export const OTHER: KnockSpec = {
  doors: [
    {
      name: 'mail',
      service: 'tcp/25',
      knock: { type: 'sequence', steps: ['udp/7000'] },
      open: { for: '5s' },
    },
  ],
}

export const table = (name: string) => ({ table: { family: 'inet', name } }) as const
export const inTable = { family: 'inet', table: 'knock' } as const
const grant = (elem: string) => {
  return { element: { ...inTable, name: 'grants_ssh_4', elem: [elem] } }
}

export async function snapshot(nft: Nft): Promise<string> {
  return JSON.stringify(await nft.list({ table: 'knock' }))
}

export const DOCUMENTS: Readonly<Record<string, Case>> = {
  async 'does all of a document or nothing'(t, nft, options) {
    await using knock = await installKnock(SPEC, options)
    await knock.door('ssh').open('203.0.113.7')
    const before = await snapshot(nft)
    const lastWrong: NftDocument = {
      nftables: [
        { delete: grant('203.0.113.7') },
        { add: { chain: { ...inTable, name: 'extra' } } },
        { delete: grant('198.51.100.1') },
      ],
    }
    await t.rejects(nft.apply(lastWrong), { code: 'not-found' })
    t.equal((await snapshot(nft)).length, before.length)
    const noChain = renderKnock(OTHER).nftables.filter(
      (command) =>
        !('add' in command && 'chain' in command.add && command.add.chain.name !== 'input'),
    )
    // The kernel gives the same error for a missing chain of a new table and for a missing module.
    await t.rejects(nft.apply({ nftables: noChain }), { name: /^(NftError|CapabilityError)$/ })
    t.equal((await snapshot(nft)).length, before.length)
  },

  async 'checks without changing'(t, nft, options) {
    await checkKnock(SPEC, options)
    await t.rejects(attachKnock(options), { code: 'not-found' })
    const missing: NftDocument = { nftables: [{ delete: table('nosuch') }] }
    await t.rejects(nft.check(missing), { code: 'not-found' })
  },

  async 'says what is not there'(t, nft, options) {
    await t.rejects(nft.list({ table: 'nosuch' }), { code: 'not-found' })
    await t.rejects(nft.apply({ nftables: [{ delete: table('nosuch') }] }), { code: 'not-found' })
    await using _knock = await installKnock(SPEC, options)
    await t.rejects(nft.list({ table: 'knock', set: 'nosuch' }), { code: 'not-found' })
    await t.rejects(nft.list({ table: 'knock', chain: 'nosuch' }), { code: 'not-found' })
    await t.rejects(nft.apply({ nftables: [{ delete: grant('203.0.113.7') }] }), {
      code: 'not-found',
    })
  },
}
