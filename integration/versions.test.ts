// The worked example on every supported nft, from installing to uninstalling.
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import type { Family } from '../lib/spec/model.js'
import { missing } from './capabilities.js'
import { doorOf, FAMILIES, House } from './house.js'
import { CLIENT, exec, SERVER } from './namespaces.js'
import { versionsOrSkip } from './nft-versions.js'

const { versions, skip: lacks } = await versionsOrSkip()
const skip = lacks || missing('knock', 'nc')

const OPEN_FOR = 5
const SPEC = doorOf(['tcp/7000', 'udp/8000', 'tcp/9000'], { open: { for: `${OPEN_FOR}s` } })

t.jobs = 3

for (const { version, path } of versions) {
  t.test(`nft ${version}`, { skip, buffered: true }, async (t) => {
    await using house = await House.open(SPEC, path)
    const { knock, pair } = house
    const tryDoor = async (family: Family) => {
      t.equal(await house.answers(family), false, `IPv${family}: closed before`)
      const ports = ['7000', '8000:udp', '9000:tcp']
      await house.run('knock', `-${family}`, '-d', '50', SERVER[family], ...ports)
      t.equal(await house.answers(family), true, `IPv${family}: open after`)
      const grants = async () => {
        const [{ grants } = { grants: [] }] = (await knock.status()).doors
        return grants.filter(({ source }) => source === CLIENT[family])
      }
      const [grant, ...others] = await grants()
      t.ok(grant && grant.expiresIn < OPEN_FOR, `IPv${family}: the status shows the grant`)
      t.same(others, [])
      while ((await grants()).length > 0) await sleep(100)
      t.equal(await house.answers(family), false, `IPv${family}: closed when its time is over`)
    }
    await Promise.all(FAMILIES.map(tryDoor))
    t.match(await house.counters(), { knocks: 6, grants: 2, resets: 0 })
    await knock.uninstall()
    t.equal((await exec(pair.server, path, ['list', 'ruleset'])).stdout, '', 'nothing is left')
    t.equal(await house.answers(4), true, 'the service is open to everyone')
  })
}
