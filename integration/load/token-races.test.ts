// The same token from two sources at the same moment, tokens during a refill, and a flood of wrong
// tokens.
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { installKnock, refillKnock } from '../../lib/index.js'
import { missing } from '../machine/capabilities.js'
import { CABLE, CLIENT, exec, SERVER, sweep } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'
import { nowSeconds, OTHERS, TOKEN_PORT, TokenSetup, tokenAt } from '../setups/token-setup.js'

const { versions, skip: lacks } = await versionsOrSkip()
const skip = lacks || missing('taskset', 'openssl', 'nc')
if (!skip) sweep()
const [, ...able] = versions

const FLOOD = fileURLToPath(new URL('../wire/flood.pl', import.meta.url))
const PERIOD = 10
const SHORT = { period: PERIOD, drift: 0, horizon: '2h' }

/** Makes tokens of later periods that are loaded already. None expires within a test. */
const ahead = (count: number, first = 0): string[] => {
  const begin = nowSeconds() + 60
  return Array.from({ length: count }, (_, i) => tokenAt(begin + PERIOD * (first + i), PERIOD))
}

for (const { version, path } of able) {
  t.test(`two sources with one token at one moment, nft ${version}`, { skip }, async (t) => {
    for (const sources of [
      [CLIENT[4], OTHERS[4]],
      [CLIENT[6], OTHERS[6]],
      [CLIENT[4], CLIENT[6]],
    ]) {
      await using setup = await TokenSetup.open({ binary: path, token: SHORT })
      const tokens = ahead(200)
      const start = nowSeconds() + 0.5
      const pace = { start, interval: 0.004 }
      await Promise.all(sources.map((source, cpu) => setup.send(tokens, source, { ...pace, cpu })))
      const what = sources.join(' and ')
      const { knocks, grants } = await setup.base.counters()
      t.same({ knocks, grants }, { knocks: 200, grants: 200 }, `${what}: each opens once`)
      t.equal((await setup.elements('spent_service')).length, 200, 'all are used')
    }
  })

  t.test(`a used token while tokens are loaded anew, nft ${version}`, { skip }, async (t) => {
    await using setup = await TokenSetup.open({ binary: path, token: SHORT })
    const { nft, base } = setup
    const rounds = 40
    const tokens = ahead(rounds)
    let isOver = false
    let loads = 0
    const load = async () => {
      for (; !isOver; loads += 1) {
        // Every third time the table is installed with another spec, and its counters are new.
        const again = setup.spec({ door: { open: { for: `${100 + loads}s` } } })
        if (loads % 3 === 2) await installKnock(again, { nft })
        else
          await refillKnock(
            loads < 3
              ? setup.spec()
              : setup.spec({ door: { open: { for: `${100 + loads - (loads % 3) - 1}s` } } }),
            { nft },
          )
      }
    }
    const send = async () => {
      for (const [round, token] of tokens.entries()) {
        await setup.send([token], CLIENT[4])
        await setup.close(CLIENT[4])
        // Replays all used tokens from an address that has no grant.
        const used = tokens.slice(0, round + 1)
        await setup.send(used, OTHERS[4])
      }
      isOver = true
    }
    await Promise.all([load(), send()])
    t.ok(loads > 6, `${loads} loads meanwhile`)
    const grants = await base.knock.door('service').grants()
    t.same(
      grants.filter(({ source }) => source === OTHERS[4]),
      [],
      'no token was accepted again',
    )
    await setup.send(tokens, OTHERS[4])
    t.equal((await setup.elements('spent_service')).length, rounds, 'each token was accepted once')
  })

  t.test(`a million wrong tokens, nft ${version}`, { skip }, async (t) => {
    await using setup = await TokenSetup.open({ binary: path, token: { period: 3600 } })
    const { base } = setup
    const { server, client } = base.pair
    // The sets that keep the log short have an element or two, whatever comes.
    const listing = async () =>
      (await exec(server, path, ['list', 'table', 'inet', 'knock'])).stdout
        .replace(/\tset (?:quiet|flooded)\w* \{.*?\n\t\}\n/gs, '')
        .replace(/packets \d+ bytes \d+/g, '')
        .replace(/expires [\dhms]+/g, '')
    const [before, free] = [await listing(), await freeMemory()]
    const count = 1_000_000
    const macs = [CLIENT.mac, SERVER.mac]
    const flood = ['perl', FLOOD, CABLE, ...macs, String(count), String(TOKEN_PORT), 'udp']
    const { stdout, code, stderr } = await exec(client, 'nice', flood)
    t.equal(code, 0, stderr)
    const { packets } = JSON.parse(stdout) as { packets: number; seconds: number }
    t.ok(packets >= count, stdout.trim())
    const used = free - (await freeMemory())
    t.ok(used < 200 * 1024, `${used} KiB less are free`)
    t.equal(await listing(), before, 'nothing is stored')
    const { wrong, grants, knocks } = await base.counters()
    t.ok(wrong > count / 2, `${wrong} of them came`)
    t.same({ grants, knocks }, { grants: 0, knocks: 0 })
    await setup.send([tokenAt(nowSeconds(), 3600)])
    t.equal(await base.answers(4), true, 'the right one opens')
  })
}

/** Returns the free memory in KiB when it no longer changes. */
async function freeMemory(): Promise<number> {
  await sleep(300)
  return Number(/^MemAvailable: +(\d+) kB$/m.exec(await readFile('/proc/meminfo', 'utf8'))?.[1])
}
