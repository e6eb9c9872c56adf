// Tokens and clocks: the end of a period, the drift after it, and clients whose clocks are wrong.
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { refillKnock } from '../../lib/index.js'
import { missing } from '../machine/capabilities.js'
import { CLIENT, sweep } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'
import { nowSeconds, TokenSetup, tokenAt } from '../setups/token-setup.js'

const { versions, skip: lacks } = await versionsOrSkip()
const skip = lacks || missing('openssl', 'nc')
if (!skip) sweep()
const [, ...able] = versions

const PERIOD = 10
/** Seconds from a limit: timeouts are whole seconds, and a loaded machine is late. */
const CLEAR = 1.5

const until = (seconds: number) => sleep(Math.max(0, seconds - nowSeconds()) * 1000)

/** Sends the token of a period `after` seconds after that period's end. */
async function sendAt(setup: TokenSetup, begin: number, after: number, family: 4 | 6 = 4) {
  await until(begin + PERIOD + after)
  const before = await setup.base.counters()
  await setup.send([tokenAt(begin, PERIOD)], CLIENT[family])
  const { grants, wrong } = await setup.base.counters()
  const late = nowSeconds() - (begin + PERIOD + after)
  return { grants: grants - before.grants, wrong: wrong - before.wrong, late }
}

async function play(t: Test, path: string, drift: number) {
  await using setup = await TokenSetup.open({
    binary: path,
    token: { period: PERIOD, drift, horizon: '30s' },
  })
  // The next period, so that what was loaded first has expired when the last token is tried.
  const begin = (Math.floor(nowSeconds() / PERIOD) + 1) * PERIOD
  const opened = { grants: 1, wrong: 0 }
  const refused = { grants: 0, wrong: 1 }
  const neighbours = begin - PERIOD
  t.match(await sendAt(setup, begin, drift - CLEAR), opened, `drift ${drift}: just in time`)
  const late = begin + PERIOD
  if (drift > 0) {
    t.match(await sendAt(setup, neighbours, PERIOD + drift - CLEAR), refused, 'a clock too slow')
  }
  await setup.close(CLIENT[4])
  await refillKnock(setup.spec(), { nft: setup.nft })
  const end = await sendAt(setup, late, drift + 0.3)
  t.match(end, refused, `drift ${drift}: just too late`)
  // A clock that is ahead makes tokens of later periods, which are loaded for the whole horizon.
  t.match(await sendAt(setup, late + PERIOD, -9.5), opened, 'a clock that is ahead')
  t.match(
    await sendAt(setup, late + 6 * PERIOD, -60),
    refused,
    'a clock that is ahead of the horizon',
  )
}

t.jobs = 4

for (const { version, path } of able) {
  for (const drift of [0, 5]) {
    t.test(`drift ${drift}, nft ${version}`, { skip, buffered: true }, async (t) => {
      await play(t, path, drift)
    })
  }
}
