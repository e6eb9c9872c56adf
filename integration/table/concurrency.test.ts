// Processes that install, open, confirm and uninstall at once: the table is always whole, and each
// call ends as documented.
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { attachKnock, createNft, type KnockSpec } from '../../lib/index.js'
import { build } from '../machine/built.js'
import { missing } from '../machine/capabilities.js'
import { createPair, sweep } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'
import { Installer, type InstallerOptions, whileHeld, wholeOf } from '../setups/installers.js'
import { SPECS } from '../setups/reloading.js'

const { versions, skip: lacks } = await versionsOrSkip()
const skip = lacks || missing()
if (!skip) {
  sweep()
  build()
}

const specs = [SPECS[0], SPECS[2]] as KnockSpec[]

/** How each call can end if others install and uninstall at the same moment. */
const ENDS: Readonly<Record<string, readonly string[]>> = {
  install: ['done', 'conflict', 'unverified'],
  open: ['done', 'not-found'],
  close: ['done', 'not-found'],
  confirm: ['done', 'not-found'],
  uninstall: ['done'],
}

/** So many installs must come through while others work on the table. */
const MANY = 5

for (const { version, path } of versions) {
  t.test(`installs at the same time, nft ${version}`, { skip, timeout: 120_000 }, async (t) => {
    await using pair = await createPair()
    const options = (specs: KnockSpec[], uninstalls = false): InstallerOptions => {
      return { binary: path, netns: pair.server, specs, uninstalls }
    }
    const installers = await Promise.all([
      Installer.start(options(specs)),
      Installer.start(options([...specs].reverse())),
      Installer.start(options(specs, true)),
    ])
    const seen = new Set<number | undefined>()
    const installs = (lines: readonly string[]): number =>
      lines.filter((line) => line === 'install done').length
    // A loaded machine needs more looks until enough has come through.
    const isEnough = () => installs(installers.flatMap(({ lines }) => lines)) > MANY
    for (let look = 0; look < 10 || (look < 100 && !isEnough()); look += 1) {
      await sleep(500)
      const whole = await whileHeld(installers, () => wholeOf(options(specs)))
      seen.add(whole)
      t.not(whole, -1, 'the table matches one spec completely')
    }
    const lines = (await Promise.all(installers.map((installer) => installer.end()))).flat()
    const wrong = lines.filter((line) => {
      const [call = '', end = ''] = line.split(' ')
      return !ENDS[call]?.includes(end)
    })
    t.strictSame(wrong, [], 'each call ended in an allowed way')
    const done = installs(lines)
    t.comment(JSON.stringify({ calls: lines.length, installs: done, seen: [...seen] }))
    t.ok(done > MANY, 'many installs succeeded')
    const nft = createNft({ binary: path, netns: pair.server })
    const whole = await wholeOf(options(specs))
    if (whole !== undefined) await (await attachKnock({ nft })).uninstall()
    t.equal(await wholeOf(options(specs)), undefined)
  })
}
