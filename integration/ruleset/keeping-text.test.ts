// Text that keeps grants, over a table with contents → what stays and what goes, on every nft.
import t, { type Test as Tap } from 'tap'
import { renderKnock } from '../../lib/api/render.js'
import { buildAutomaton } from '../../lib/automaton/build.js'
import { aboutComments, digestOf } from '../../lib/nft/about.js'
import { parseListing } from '../../lib/nft/listing.js'
import { renderKeepingText } from '../../lib/nft/render/text-keeping.js'
import type { DoorSpec, KnockSpec } from '../../lib/spec/generated/knock-types.js'
import { validateSpec } from '../../lib/spec/validate.js'
import { apply, createPair, listTable } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'
import type { Entry } from './many-tables.js'

const { versions, skip } = await versionsOrSkip()

const SSH: DoorSpec = {
  name: 'ssh',
  service: 'tcp/22',
  knock: { type: 'sequence', steps: ['tcp/7000', 'tcp/8000'], stepTimeout: '60s' },
  open: { for: '1h' },
}
const WEB: DoorSpec = {
  name: 'web',
  service: 'tcp/443',
  knock: { type: 'sequence', steps: ['udp/5000', 'udp/6000'] },
  open: { for: '1h' },
}
const GUARD = { ban: { after: 3, within: '1m', for: '1h' } }
const KEEPING: KnockSpec = {
  table: 'keeping',
  guard: { ...GUARD, trusted: ['192.0.2.1'] },
  doors: [SSH, WEB],
}
/** A spec with one door less, another first step, another service and another trusted address. */
const EDITED: KnockSpec = {
  table: 'keeping',
  guard: { ...GUARD, trusted: ['192.0.2.2'] },
  doors: [
    {
      ...SSH,
      service: ['tcp/22', 'tcp/2222'],
      knock: { type: 'sequence', steps: ['tcp/7100', 'tcp/8000'], stepTimeout: '60s' },
    },
  ],
}

const USED: readonly string[] = ['grants_ssh_4', 'banned_4', 'grants_ssh_6']
const STAGE = 'stage1_ssh_4'

async function keepsContents(t: Tap, nft: string, server: string): Promise<void> {
  const table = 'keeping'
  const text = (spec: KnockSpec) => renderKeepingText(renderKnock(spec))
  const elementsOf = (listing: readonly Entry[], name: string): unknown[] =>
    listing.flatMap((entry) => {
      const set = (entry['set'] ?? {}) as Entry
      return set['name'] === name ? ((set['elem'] ?? []) as unknown[]) : []
    })
  const look = async () => (await listTable(server, table, nft)) ?? []
  const fill = [...USED, STAGE]
    .map((set) => {
      const address = set.endsWith('6') ? '2001:db8::7' : '192.0.2.7'
      return `add element inet ${table} ${set} { ${address} timeout 30m }`
    })
    .join('\n')
  await apply(server, text(KEEPING), nft)
  await apply(server, `${fill}\n`, nft)
  for (const [what, spec] of [
    ['itself', KEEPING],
    ['an edited spec', EDITED],
    ['and back', KEEPING],
  ] as const) {
    // A pending confirmation and its mark must go away with the old rules.
    const marks = `add set inet ${table} trial { type mark; flags timeout; }
      add set inet ${table} serial { type mark; elements = { 7 }; }`
    await apply(server, marks, nft)
    await apply(server, text(spec), nft)
    const listing = await look()
    for (const set of USED) t.equal(elementsOf(listing, set).length, 1, `${what}: ${set} stays`)
    t.strictSame(elementsOf(listing, STAGE), [], `${what}: a knock under way begins again`)
    t.strictSame(
      elementsOf(listing, 'trusted_4'),
      spec.guard?.trusted,
      `${what}: the trusted sources are new`,
    )
    const names = listing.flatMap((entry) =>
      Object.values(entry).map((part) => (part as Entry)['name']),
    )
    t.notOk(names.includes('trial') || names.includes('serial'), `${what}: no old marks are left`)
    const comments = aboutComments(parseListing({ nftables: listing }))
    t.equal(
      comments?.[0],
      `knocklib 4 ${digestOf(renderKnock(spec))}`,
      `${what}: the table has its own description`,
    )
    const own = new Set(buildAutomaton(validateSpec(spec)).chains.map(({ name }) => name))
    const beyond = listing.filter(({ rule }) => rule && !own.has(String((rule as Entry)['chain'])))
    t.strictSame(beyond, [], `${what}: chains of an older spec have no rules`)
    await apply(server, `add element inet ${table} ${STAGE} { 192.0.2.7 timeout 30m }`, nft)
  }
  const wrong = `delete table inet ${table}
    add table inet ${table}
    add set inet ${table} grants_ssh_4 { type ipv6_addr; flags timeout; }`
  await apply(server, wrong, nft)
  await t.rejects(
    apply(server, text(KEEPING), nft),
    /exists|datatype mismatch/,
    'a set of another type is refused',
  )
  t.equal((await look()).filter((entry) => 'chain' in entry).length, 0, 'nothing has changed')
}

t.test('text that keeps grants replaces a table', { skip }, async (t) => {
  for (const { version, path } of versions) {
    await t.test(`nft ${version}`, async (t) => {
      await using pair = await createPair()
      await keepsContents(t, path, pair.server)
    })
  }
})
