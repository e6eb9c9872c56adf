// A table that is changed 40 times under traffic: no grant is refused, no stranger is let in,
// nothing is lost.
import t from 'tap'
import { missing } from '../machine/capabilities.js'
import { sweep } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'
import { reloadUnderTraffic } from '../setups/reloading.js'

const { versions, skip: lacks } = await versionsOrSkip()
const skip = lacks || missing()
if (!skip) sweep()

/** `RELOADS=1000` for a longer run. */
const RELOADS = Number(process.env['RELOADS'] ?? 40)

for (const { version, path } of versions) {
  t.test(`${RELOADS} reloads, nft ${version}`, { skip, timeout: 300_000 }, async (t) => {
    const { visits, strangers, before, after, seconds } = await reloadUnderTraffic(path, RELOADS)
    t.comment(JSON.stringify({ seconds, visits, strangers }))
    t.ok(visits.connections > 50, 'a client connected all the time')
    t.equal(visits.refused, 0, 'it was never refused')
    t.ok(visits.echoes > 20, 'a connection from before still works')
    t.ok(strangers.denied > 100_000, 'strangers tried all the time')
    t.equal(strangers.let, 0, 'no stranger was let in')
    t.strictSame(after, before, 'grants, attempts, bans, used sequences, counters')
  })
}
