// The contract's cases that empty a table, take it apart and make it again.
import type { Test } from 'tap'
import { isIntact } from '../../lib/change/intact.js'
import { renderReload } from '../../lib/change/reload.js'
import {
  attachKnock,
  installKnock,
  type KernelOptions,
  type KnockSpec,
  type Nft,
  renderKnock,
} from '../../lib/index.js'
import type { NftDocument, NftTarget } from '../../lib/nft/document.js'
import { parseListing } from '../../lib/nft/listing.js'
import { listedObjects, partsOf } from '../../lib/nft/parts.js'

export const SPEC: KnockSpec = {
  guard: { trusted: ['192.168.1.0/24', 'fd00:1::/32'], ignore: ['tcp/80', 'udp/4000-4010'] },
  doors: [
    {
      name: 'ssh',
      service: 'tcp/22',
      knock: { type: 'sequence', steps: ['tcp/7000', 'udp/8000', 'icmp'], timeout: '8s' },
      close: { type: 'sequence', steps: ['tcp/9000', 'tcp/8000'] },
      open: { for: '30s' },
    },
    {
      name: 'web',
      service: ['tcp/443', 'udp/5000-5010'],
      knock: { type: 'sequence', steps: ['tcp/7001'] },
      open: { for: '60s', connections: 3 },
    },
  ],
}

const mapsOf = ({ nftables }: NftDocument): string[] =>
  nftables.flatMap((command) =>
    'add' in command && 'map' in command.add ? [command.add.map.name] : [],
  )

/** The name of the map of ports, which has a digest of its content. */
const [PORTS = ''] = mapsOf(renderKnock(SPEC))

/** A case of the contract. `options` choose the nft and the access to elements. */
export type Case = (t: Test, nft: Nft, options: KernelOptions) => Promise<void>

const inTable = { family: 'inet', table: 'knock' } as const

async function listed(nft: Nft): Promise<string> {
  return JSON.stringify(await nft.list({ table: 'knock' }))
}

/** Returns the ruleset with the names of chains, comments and a counter in an earlier knocklib. */
function asBefore(document: NftDocument): NftDocument {
  const text = JSON.stringify(document)
    .replace(/"log(?=[\d_])/g, '"told')
    .replaceAll(' unlogged"', ' untold"')
    .replaceAll('"unlogged"', '"untold"')
    .replaceAll(' logged"', ' told"')
    .replace(/"knocklib 4 [0-9a-f]+"/, `"knocklib 4 ${'0'.repeat(32)}"`)
  return JSON.parse(text)
}

export const RELOADS: Readonly<Record<string, Case>> = {
  async 'takes over a table that has the names of the version before, with its grants'(
    t,
    nft,
    options,
  ) {
    await nft.apply(asBefore(renderKnock(SPEC)))
    t.match(await listed(nft), 'told1_knock_return_open_ssh')
    await using before = await attachKnock(options)
    await before.door('ssh').open('203.0.113.7')
    t.match(
      await before.counters(),
      { ssh: { grants: 0 } },
      'the contents of the old table can be read',
    )
    await using knock = await installKnock(SPEC, options)
    t.equal(knock.outcome, 'changed')
    const [grant] = await knock.door('ssh').grants()
    t.match(grant, { source: '203.0.113.7' })
    t.notMatch(await listed(nft), /told/, 'no name of the old table is left')
    t.equal((await installKnock(SPEC, options)).outcome, 'unchanged')
  },

  async 'empties a set and a map, and nothing else'(t, nft, options) {
    await using knock = await installKnock(SPEC, options)
    const [ssh, web] = [knock.door('ssh'), knock.door('web')]
    await ssh.open('203.0.113.7')
    await ssh.open('2001:db8::7')
    await web.open('203.0.113.7')
    const set = { ...inTable, name: 'grants_ssh_4' }
    const verdicts = async () => (await listed(nft)).match(/"target"/g)?.length ?? 0
    const before = await verdicts()
    await nft.apply({ nftables: [{ flush: { set } }, { flush: { set } }] })
    t.strictSame(
      (await ssh.grants()).map(({ source }) => source),
      ['2001:db8::7'],
    )
    t.equal((await web.grants()).length, 1)
    t.equal(await verdicts(), before)
    await nft.apply({ nftables: [{ flush: { map: { ...inTable, name: PORTS } } }] })
    t.ok((await verdicts()) < before)
    await t.rejects(nft.apply({ nftables: [{ flush: { set: { ...inTable, name: 'nosuch' } } }] }), {
      code: 'not-found',
    })
  },

  async 'takes a table apart and puts it together in one document'(t, nft, options) {
    await using knock = await installKnock(SPEC, options)
    await knock.door('ssh').open('203.0.113.7')
    await knock.door('web').open('203.0.113.7')
    const keeps = (set: string) => set === 'grants_ssh_4'
    const document = renderKnock(SPEC)
    await nft.apply(renderReload(document, await nft.list({ table: 'knock' }), keeps))
    t.equal((await knock.door('ssh').grants()).length, 1, 'a kept set keeps its grant')
    t.strictSame(await knock.door('web').grants(), [], 'another set is made anew')
    t.ok(isIntact(await nft.list({ table: 'knock' }), document))
    const other = renderKnock({ doors: SPEC.doors.slice(1) })
    await nft.apply(renderReload(other, await nft.list({ table: 'knock' }), keeps))
    t.ok(isIntact(await nft.list({ table: 'knock' }), other), 'nothing of the old table is left')
    const maps = async () =>
      [...partsOf(listedObjects(await nft.list({ table: 'knock' }))).values()].flatMap(
        ({ kind, name, elements }) =>
          kind === 'map' && name.startsWith('ports_') && elements.length > 0 ? [name] : [],
      )
    const both = [...mapsOf(document), ...mapsOf(other)].filter((name) => name !== 'steps').sort()
    t.strictSame((await maps()).sort(), both, 'the old map stays for packets under way')
    const third = renderKnock({ doors: SPEC.doors.slice(0, 1) })
    await nft.apply(renderReload(third, await nft.list({ table: 'knock' }), keeps))
    t.notOk((await maps()).includes(PORTS), 'the next change removes the old map')
    await nft.apply(renderReload(document, await nft.list({ table: 'knock' }), keeps))
    t.ok(
      isIntact(await nft.list({ table: 'knock' }), document),
      'the first table is installed again',
    )
  },

  async 'takes nothing away that others name'(t, nft, options) {
    await using _knock = await installKnock(SPEC, options)
    const before = await listed(nft)
    for (const target of [
      { chain: { ...inTable, name: 'gate_ssh' } },
      { set: { ...inTable, name: 'grants_ssh_4' } },
      { map: { ...inTable, name: PORTS } },
    ] satisfies NftTarget[]) {
      await t.rejects(nft.apply({ nftables: [{ delete: target }] }), { name: 'NftError' })
    }
    t.equal((await listed(nft)).length, before.length)
    const missing = { set: { ...inTable, name: 'nosuch' } }
    await t.rejects(nft.apply({ nftables: [{ delete: missing }] }), { code: 'not-found' })
  },

  async 'one-time sequences that have been used stay used, whatever else changes'(t, nft, options) {
    const once = (...oneTime: string[][]): KnockSpec => ({
      doors: [
        {
          name: 'ssh',
          service: 'tcp/22',
          knock: { type: 'sequence', oneTime },
          open: { for: '30s' },
        },
      ],
    })
    await using _knock = await installKnock(once(['tcp/7000'], ['tcp/7001']), options)
    const spent = async () => {
      const { sets } = parseListing(await nft.list({ table: 'knock' }))
      return [...sets].flatMap(([name, { elements }]) =>
        name.startsWith('spent') ? [[name, elements.length] as const] : [],
      )
    }
    const [[first] = ['']] = await spent()
    await nft.apply({ nftables: [{ add: { element: { ...inTable, name: first, elem: [0] } } }] })
    await using _other = await installKnock(once(['tcp/7002'], ['tcp/7000']), options)
    t.strictSame((await spent()).map(([name, elements]) => [name === first, elements]).sort(), [
      [false, 0],
      [true, 1],
    ])
  },
}
