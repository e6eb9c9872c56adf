// How long a browser takes from the page to the open door.
//
//   npm run bench -- page [LOADS]      as root; loads of each browser, by default 20,
//                                     at most 32; IPv4 and IPv6 in turn
//
// Each load is a navigation to the page, over https, with a secret behind the `#` that was not used
// yet. The time runs from the navigation's start, as the page's own clock has it, to the event of
// the grant, as the kernel's log brings it.
import { cpSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { attachKnock, createNft } from 'knocklib'
import { startChromium } from '../browsers/chromium.js'
import { startFirefox } from '../browsers/firefox.js'
import { openSite } from '../browsers/site.js'
import { compiled } from '../machine/built.js'
import { CLIENT, sweep } from '../machine/namespaces.js'
import { nftVersions } from '../machine/nft-versions.js'
import { type Figure, report } from './report.js'

const LOADS = Number(process.argv[2] ?? 20)

sweep()
// The site installs by the library as it was compiled with this file, without the validators.
const validators = new URL('../../lib/spec/generated/', import.meta.url)
cpSync(compiled('spec/generated'), fileURLToPath(validators), { recursive: true })
const binary = (await nftVersions()).at(-1)?.path ?? ''
const starts = [startChromium, startFirefox]
const figures: Figure[] = []
const site = await openSite(starts.length * LOADS, binary)
try {
  const secrets = [...site.secrets]
  const nft = createNft({ netns: site.house.pair.server, binary })
  const knock = await attachKnock({ nft })
  const watcher = knock.watch()
  await watcher.ready
  for (const start of starts) {
    const browser = await start({ namespace: site.house.pair.client })
    try {
      const runs: number[] = []
      while (runs.length < LOADS) {
        const family = runs.length % 2 === 0 ? 4 : 6
        const secret = encodeURIComponent(secrets.shift() ?? '')
        const loaded = browser.open(`${site.httpsUrl(family)}#secret=${secret}`)
        const granted = await grantedAt(watcher)
        await loaded
        runs.push(granted - (await browser.run<number>('return performance.timeOrigin')))
        await site.house.knock.door('service').close(CLIENT[family])
      }
      figures.push({ name: browser.name, unit: 'ms', runs })
    } finally {
      await browser[Symbol.asyncDispose]()
    }
  }
  await watcher[Symbol.asyncDispose]()
} finally {
  await site[Symbol.asyncDispose]()
}
report('page', figures)

/** Milliseconds since 1970 of the next grant. */
async function grantedAt(watcher: AsyncIterable<{ event: string; time: string }>): Promise<number> {
  const events = watcher[Symbol.asyncIterator]()
  for (;;) {
    const { value, done } = await events.next()
    if (done) throw new Error('the watch has ended')
    if (value.event === 'granted') return Date.parse(value.time)
  }
}
