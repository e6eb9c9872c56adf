// A process that installs and is killed at random moments: the old table stands or the new one,
// whole.
import t from 'tap'
import type { KnockSpec } from '../../lib/index.js'
import { build } from '../machine/built.js'
import { missing } from '../machine/capabilities.js'
import { createPair, sweep } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'
import { type InstallerOptions, killInstallers } from '../setups/installers.js'
import { SPECS } from '../setups/reloading.js'

const { versions, skip: lacks } = await versionsOrSkip()
const skip = lacks || missing()
if (!skip) {
  sweep()
  build()
}

/** For a longer run: `KILLS=200 npm run test:one -- integration/table/kills.test.ts`. */
const KILLS = Number(process.env['KILLS'] ?? 14)

for (const { version, path } of versions) {
  t.test(`${KILLS} killed installs, nft ${version}`, { skip, timeout: 1_200_000 }, async (t) => {
    await using pair = await createPair()
    const specs = [SPECS[0], SPECS[2]] as KnockSpec[]
    const options: InstallerOptions = {
      binary: path,
      netns: pair.server,
      specs,
      uninstalls: false,
    }
    const found = await killInstallers(options, KILLS)
    t.comment(JSON.stringify(Object.fromEntries(found)))
    t.equal(
      (found.get('spec 1') ?? 0) + (found.get('spec 2') ?? 0),
      KILLS,
      'the table is always whole, old or new',
    )
  })
}
