// A watcher whose process is blocked while packets flood in: what is lost is counted, or reported.
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { SERVER } from '../machine/namespaces.js'
import { PORT, ServiceSetup } from '../setups/service-setup.js'
import { knockAt, OPEN, prepareWatching, specOf, Watching } from '../setups/watching.js'

const skip = await prepareWatching()

/** Runs a test alone, because each blocks this process or loads the machine. */
const test = (name: string, run: (t: Test) => Promise<void>) =>
  t.test(name, { skip, buffered: false }, run)

/** Sends SYNs to the service, which are all denied. */
const flood = (setup: ServiceSetup, count: number, pause: number) =>
  setup.run('hping3', '-q', '-S', '-p', `${PORT}`, '-i', `u${pause}`, '-c', `${count}`, SERVER[4])

/** Counts the events of packets, and those that are reported as lost. */
function account({ events }: Watching): { heard: number; lost: number; gaps: number } {
  const overruns = events.filter((event) => event.event === 'overrun')
  return {
    heard: events.filter(({ event }) => event === 'denied').length,
    // An overrun without a number makes the sum NaN.
    lost: overruns.reduce((sum, { lost = Number.NaN }) => sum + lost, 0),
    gaps: overruns.length,
  }
}

test('a loop that is blocked under a flood loses nothing unreported', async (t) => {
  const log = { rate: 1_000_000, deniedRate: 1_000_000 }
  await using setup = await ServiceSetup.open(specOf({ log }))
  await using wide = await Watching.begin(setup.knock, { queue: 100_000 })
  await using narrow = await Watching.begin(setup.knock, { queue: 100 })
  const flooding = flood(setup, 60_000, 40)
  await sleep(200)
  // Like a busy caller: this process reads nothing meanwhile.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3500)
  await flooding
  const { denied } = await setup.counters()
  const sum = (watching: Watching) => account(watching).heard + account(watching).lost
  for (const watching of [wide, narrow]) {
    await watching.wait(() => sum(watching) === denied, 20_000)
    t.equal(sum(watching), denied, JSON.stringify({ denied, ...account(watching) }))
  }
  t.ok(account(narrow).gaps > 0, 'what does not fit into a queue is reported')
  wide.take()
  await knockAt(setup, 4, ...OPEN)
  t.ok(await wide.until('granted'), 'and it goes on')
})

test('a flood beyond all measure does not end the process', async (t) => {
  const log = { rate: 1_000_000, deniedRate: 1_000_000 }
  await using setup = await ServiceSetup.open(specOf({ log }))
  await using watching = await Watching.begin(setup.knock, { queue: 100 })
  const flooding = setup.run(
    'timeout',
    '4',
    'hping3',
    '-q',
    '-S',
    '-p',
    `${PORT}`,
    '--flood',
    SERVER[4],
  )
  await sleep(200)
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3000)
  await flooding
  t.ok(await watching.until('overrun'), 'the gap is reported')
  await sleep(2000)
  watching.take()
  for (let tries = 0; tries < 10 && !watching.shorts.join().includes('granted'); tries += 1) {
    await knockAt(setup, 4, ...OPEN)
    await watching.until('granted', 1000)
  }
  t.ok(await watching.until('granted'), 'it goes on')
})
