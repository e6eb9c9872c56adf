// Names with special characters → they are refused before nft could read them. No nft is run.
import t from 'tap'
import { attachKnock } from '../../api/attach.js'
import { FakeNft } from '../fake.js'
import { createNft } from '../ssh/create-nft.js'

const INJECTED = ['knock about; flush ruleset', 'knock;', 'a b', 'a\nb', '{', '$(id)', '-f', '']

t.test('no table with such a name is looked up', async (t) => {
  for (const table of [...INJECTED, 'accept', '1st', 'a'.repeat(33)]) {
    const looking = attachKnock({ table, nft: new FakeNft() })
    const message = /^attachKnock: table: expected a name .* got "/
    await t.rejects(looking, { code: 'invalid-argument', message }, JSON.stringify(table))
  }
})

t.test('nft gets no such name', async (t) => {
  const nft = createNft({ binary: '/nonexistent/nft' })
  for (const name of INJECTED) {
    const message = /^nft: expected a name of letters, digits, _ and -, got "/
    const wrong = { code: 'invalid-argument', message }
    await t.rejects(nft.list({ table: name }), wrong, JSON.stringify(name))
    if (name === '') continue
    await t.rejects(nft.list({ table: 'knock', set: name }), wrong)
    await t.rejects(nft.list({ table: 'knock', chain: name }), wrong)
  }
  await t.rejects(nft.list({ table: 'knock', set: 'grants_ssh_4' }), { code: 'nft-missing' })
})
