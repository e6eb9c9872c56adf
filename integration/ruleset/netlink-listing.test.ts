// A table of each version of nft, listed through netlink and by nft → the same listing.
import t from 'tap'
import { build, compiled, LIBRARY } from '../machine/built.js'
import { createPair, exec, sweep } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'

const { versions, skip } = await versionsOrSkip()
if (!skip) {
  sweep()
  build()
}

const door = (index: number, parts: object = {}) => ({
  name: `d${index}`,
  service: `tcp/${100 + index}`,
  knock: {
    type: 'sequence',
    steps: [`tcp/${20000 + index}`, `udp/${20000 + index}`, `tcp/${30000 + index}`],
    stepTimeout: '90s',
  },
  open: { for: '2h' },
  ...parts,
})

/** Doors that share their sets, and doors that do not. */
const SPECS: Readonly<Record<string, object>> = {
  'doors that share': {
    guard: { ban: { after: 3, within: '1m', for: '1h' }, trusted: ['10.1.0.0/16', 'fd01::/64'] },
    doors: [
      ...Array.from({ length: 36 }, (_, index) => door(index)),
      door(40, { service: ['tcp/140-149', 'udp/53'], open: { for: '2h', connections: 2 } }),
    ],
  },
  'doors with sets of their own': {
    doors: [
      door(0),
      door(1, { open: { for: '2h', scope: 'everyone' }, service: 'udp/443' }),
      door(2, { knock: { type: 'rate', port: 'udp/7777', hits: 3, min: '1s', max: '3s' } }),
    ],
  },
}

const PROGRAM = `
  const { createNft, installKnock } = await import(${JSON.stringify(LIBRARY)})
  const KERNEL = ${JSON.stringify(compiled('kernel/'))}
  const { listParts } = await import(KERNEL + 'table-listing.js')
  const { DocumentElements } = await import(KERNEL + 'elements.js')
  const { NetlinkElements } = await import(KERNEL + 'netlink/netlink.js')
  const { elementText } = await import(KERNEL + '../nft/parts.js')
  const [binary, spec] = process.argv.slice(1)
  const nft = createNft({ binary })
  const knock = await installKnock(JSON.parse(spec), { nft })
  for (const one of knock.doors) {
    if (one.name === 'd1' && spec.includes('everyone')) await one.open('everyone')
    else await one.openMany(['192.0.2.1', '2001:db8::1', '192.0.2.200'], { for: '1h' })
  }
  // What time and packets change goes on between two listings.
  const lasting = (key, value) => (key === 'expires' || key === 'counter' ? undefined : value)
  const form = ({ nftables }) => nftables.filter(({ metainfo }) => !metainfo).map((object) => {
    const [[kind, { elem = [], ...content }]] = Object.entries(object)
    const texts = elem.map((one) => elementText(JSON.parse(JSON.stringify(one, lasting))))
    const { count: _, ...rest } = content
    return JSON.stringify([kind, rest, texts.sort()])
  })
  const asked = []
  const counting = { list: (query, options) => (asked.push(query), nft.list(query, options)) }
  const read = async (elements, by) =>
    form(await listParts({ nft: by, elements, table: 'knock' }, () => true, {}))
  const byNft = await read(new DocumentElements(nft), nft)
  const byNetlink = await read(new NetlinkElements(), counting)
  const again = await installKnock(JSON.parse(spec), { nft, elements: 'netlink' })
  console.log(JSON.stringify({
    wrong: byNetlink.filter((text) => !byNft.includes(text)),
    objects: [byNft.length, byNetlink.length],
    elements: byNft.reduce((sum, text) => sum + JSON.parse(text)[2].length, 0),
    asked: asked.map(({ set, map, terse }) => set ?? map ?? (terse ? 'terse' : 'all')),
    outcome: again.outcome,
  }))
  process.exit()`

for (const { version, path } of versions) {
  for (const [name, spec] of Object.entries(SPECS)) {
    t.test(`${name}, nft ${version}`, { skip }, async (t) => {
      await using pair = await createPair()
      const { KNOCKLIB_NFT: _, ...env } = process.env
      const args = ['--input-type=module', '-e', PROGRAM, path, JSON.stringify(spec)]
      const { stdout, stderr } = await exec(pair.server, process.execPath, args, { env })
      const { wrong, objects, elements, asked, outcome } = JSON.parse(stdout || 'null') ?? {
        stderr,
      }
      t.strictSame(wrong, [], `netlink lists as nft does ${stderr}`)
      t.equal(objects[1], objects[0], 'as many objects')
      t.ok(elements > 20, `${elements} elements`)
      const ranges = asked.filter((set: string) => set !== 'terse')
      t.ok(
        ranges.every((set: string) => /^(?:trusted|named)_/.test(set)),
        `nft lists only ${ranges.join(', ')}`,
      )
      t.equal(outcome, 'unchanged')
    })
  }
}
