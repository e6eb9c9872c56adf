// A process that installs, killed again and again at moments of chance → what stood after each: the old table or the new one.
//
//   npm run bench:kills [KILLS]

import type { KnockSpec } from '../../lib/index.js'
import { killInstallers } from '../installers.js'
import { createPair, sweep } from '../namespaces.js'
import { nftVersions } from '../nft-versions.js'
import { SPECS } from '../reloading.js'

const KILLS = Number(process.argv[2] ?? 200)
const specs = [SPECS[0], SPECS[2]] as KnockSpec[]

sweep()
for (const { version, path } of await nftVersions()) {
  await using pair = await createPair()
  const orders = { binary: path, netns: pair.server, specs, uninstalls: false }
  const found = await killInstallers(orders, KILLS)
  console.log(JSON.stringify({ nft: version, kills: KILLS, ...Object.fromEntries(found) }))
  if (found.has('broken') || found.has('none')) process.exitCode = 1
}
