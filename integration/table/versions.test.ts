// The worked example on every supported nft, from installing to uninstalling.
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { neededBy } from '../../lib/change/needed.js'
import { createNft, renderKnock } from '../../lib/index.js'
import { DocumentElements } from '../../lib/kernel/elements.js'
import { listParts } from '../../lib/kernel/table-listing.js'
import { parseListing } from '../../lib/nft/listing.js'
import type { Family } from '../../lib/spec/model/packet-model.js'
import { build, CLI } from '../machine/built.js'
import { missing } from '../machine/capabilities.js'
import { apply, CLIENT, exec, SERVER } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'
import { doorOf, FAMILIES, ServiceSetup } from '../setups/service-setup.js'

const { versions, skip: lacks } = await versionsOrSkip()
const skip = lacks || missing('knock', 'nc')

const OPEN_FOR = 5
const SPEC = doorOf(['tcp/7000', 'udp/8000', 'tcp/9000'], { open: { for: `${OPEN_FOR}s` } })

const ELEMENTS = 131_072

/** Fills the set of SYNs as a flood to a knock port would. */
async function fillSyns(namespace: string, nft: string): Promise<void> {
  const elem = Array.from({ length: ELEMENTS }, (_, n) => {
    const source = `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`
    return { elem: { val: { concat: [source, 1024, 7000, n] }, timeout: 600 } }
  })
  const element = { family: 'inet', table: 'knock', name: 'syns_4', elem }
  await apply(namespace, { nftables: [{ add: { element } }] }, nft)
}

build()
const folder = t.testdir({ 'doors.json': JSON.stringify(SPEC) })
const spec = join(folder, 'doors.json')

t.jobs = 3

for (const { version, path } of versions) {
  t.test(`all commands work with nft ${version}`, { skip, buffered: true }, async (t) => {
    await using setup = await ServiceSetup.open(SPEC, path)
    const { knock, pair } = setup
    const tryDoor = async (family: Family) => {
      t.equal(await setup.answers(family), false, `IPv${family}: closed before`)
      const ports = ['7000', '8000:udp', '9000:tcp']
      await setup.run('knock', `-${family}`, '-d', '50', SERVER[family], ...ports)
      t.equal(await setup.answers(family), true, `IPv${family}: open after`)
      const grants = async () => {
        const [{ grants } = { grants: [] }] = (await knock.status()).doors
        return grants.filter(({ source }) => source === CLIENT[family])
      }
      const [grant, ...others] = await grants()
      t.ok(grant && grant.expiresIn < OPEN_FOR, `IPv${family}: the status shows the grant`)
      t.same(others, [])
      while ((await grants()).length > 0) await sleep(100)
      t.equal(await setup.answers(family), false, `IPv${family}: closed when its time is over`)
    }
    await Promise.all(FAMILIES.map(tryDoor))
    t.match(await setup.counters(), { knocks: 6, grants: 2, resets: 0 })
    await fillSyns(pair.server, path)
    for (const command of [
      ['status', '--json'],
      ['save', join(folder, `state-${version}.json`)],
      ['install', spec],
    ]) {
      // Half of the memory that a listing of the strangers' elements would take.
      const argv = ['--max-old-space-size=40', CLI, ...command]
      const env = { ...process.env, KNOCKLIB_NFT: path }
      const { code, stderr } = await exec(pair.server, process.execPath, argv, { env })
      t.equal(code, 0, `${command[0]} beside a full set: ${stderr.slice(-200)}`)
    }
    const nft = createNft({ binary: path, netns: pair.server })
    const listing = await listParts(
      { nft, elements: new DocumentElements(nft), table: 'knock' },
      neededBy(renderKnock(SPEC)),
      {},
    )
    t.equal(parseListing(listing).sets.get('syns_4')?.elements.length, 0)
    await knock.uninstall()
    t.equal((await exec(pair.server, path, ['list', 'ruleset'])).stdout, '', 'nothing is left')
    t.equal(await setup.answers(4), true, 'the service is open to everyone')
  })
}
