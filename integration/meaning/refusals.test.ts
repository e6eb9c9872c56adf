// What does not open a door, what closes it, and what a scanner sees of it, with other clients.
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { Family } from '../../lib/spec/model/packet-model.js'
import { missing } from '../machine/capabilities.js'
import { SERVER, sweep } from '../machine/namespaces.js'
import { doorOf, FAMILIES, PORT, ServiceSetup } from '../setups/service-setup.js'

const skip = missing('knock', 'nmap', 'nc')
if (!skip) sweep()

const STEPS = ['tcp/7000', 'udp/7010', 'tcp/7020']
const [A, B, C] = ['7000', '7010:udp', '7020'] as const

/** Knocks with Debian's client, with a pause that keeps the packets in order. */
async function send(
  setup: ServiceSetup,
  family: Family,
  ...ports: readonly string[]
): Promise<void> {
  await setup.run('knock', `-${family}`, '-d', '50', SERVER[family], ...ports)
}

t.jobs = 4

/** Runs a test at a server of its own. */
function withSetup(
  name: string,
  parts: object,
  run: (t: Test, setup: ServiceSetup) => Promise<void>,
  steps: readonly unknown[] = STEPS,
): void {
  t.test(name, { skip, buffered: true }, async (t) => {
    await using setup = await ServiceSetup.open(doorOf(steps, parts))
    await run(t, setup)
  })
}

const WRONG: Readonly<Record<string, readonly string[]>> = {
  'the order reversed': [C, B, A],
  'the last two swapped': [A, C, B],
  'the first left out': [B, C],
  'the second left out': [A, C],
  'the third left out': [A, B],
  'another port between': [A, '7011', B, C],
  'another port at the end': [A, B, '7011', C],
  'the wrong protocol': [A, '7010:tcp', C],
}

for (const [name, ports] of Object.entries(WRONG)) {
  withSetup(name, {}, async (t, setup) => {
    await Promise.all(FAMILIES.map((family) => send(setup, family, ...ports)))
    const answers = await Promise.all(FAMILIES.map((family) => setup.answers(family)))
    t.same(answers, [false, false])
    t.match(await setup.counters(), { grants: 0 })
  })
}

withSetup('a knock of which half is over the other family opens nothing', {}, async (t, setup) => {
  await send(setup, 4, A, B)
  await send(setup, 6, C)
  const answers = await Promise.all(FAMILIES.map((family) => setup.answers(family)))
  t.same(answers, [false, false])
})

const QUICK = { type: 'sequence', steps: STEPS, stepTimeout: '2s' }

withSetup('steps that are too slow open nothing', { knock: QUICK }, async (t, setup) => {
  const run = async (family: Family) => {
    await send(setup, family, A, B)
    await sleep(4000)
    await send(setup, family, C)
    const answers = await setup.answers(family)
    await send(setup, family, A, B, C)
    return [answers, await setup.answers(family)]
  }
  const expected = [false, true]
  t.same(await Promise.all(FAMILIES.map(run)), [expected, expected], 'the quick steps open')
})

const CLOSE = { type: 'sequence', steps: ['udp/7030', 'tcp/7040', 'tcp/7050'] }

withSetup('the close sequence closes', { close: CLOSE }, async (t, setup) => {
  for (const family of FAMILIES) {
    await send(setup, family, A, B, C)
    t.equal(await setup.answers(family), true, `IPv${family}: open`)
    await send(setup, family, '7030:udp', '7050', '7040')
    t.equal(await setup.answers(family), true, `IPv${family}: the wrong order leaves it open`)
    await send(setup, family, '7030:udp', '7040', '7050')
    t.equal(await setup.answers(family), false, `IPv${family}: closed`)
  }
})

/** Runs nmap. Returns the state that it reports for each port. */
async function scan(
  setup: ServiceSetup,
  family: Family,
  ...args: readonly string[]
): Promise<Map<number, string>> {
  const way = [...(family === 6 ? ['-6'] : []), '-Pn', '-n', '-v', '--reason', ...args]
  const { stdout } = await setup.run('nmap', ...way, SERVER[family])
  const lines = stdout.matchAll(
    /^(\d+)\/(?:tcp|udp) +(\S+) .*? (no-response|reset|\S+)(?: ttl|$)/gm,
  )
  return new Map([...lines].map(([, port, state, reason]) => [Number(port), `${state} ${reason}`]))
}

withSetup(
  'a scanner sees no difference between closed doors and knock ports',
  {},
  async (t, setup) => {
    for (const family of FAMILIES) {
      const ports = ['-sS', '-p', `7000,7020,7005,${PORT}`, '--max-retries', '1']
      const found = await scan(setup, family, ...ports)
      const filtered = [7000, 7020, PORT].map((port) => found.get(port))
      t.same(filtered, Array(3).fill('filtered no-response'), `IPv${family}: knock ports, service`)
      t.match(found.get(7005), /^closed/, `IPv${family}: a port without a door is closed`)
      const datagrams = await scan(setup, family, '-sU', '-p', '7010,7005', '--max-retries', '1')
      t.equal(datagrams.get(7010), 'open|filtered no-response', `IPv${family}: a udp step`)
    }
  },
)

/** Ports to scan: so many that nmap's random order never has the three knocks in a row. */
const RANGE = ['-sS', '-p', `${PORT},6800-7200`]
const TCP_STEPS = ['tcp/7000', 'tcp/7010', 'tcp/7020']

// One probe for each port: a second round of nmap would probe only the knock ports, perhaps in the
// order of the knock.
withSetup(
  'a scan of the port range does not open the door',
  {},
  async (t, setup) => {
    for (const order of [[], ['-r']]) {
      const run = async (family: Family) => {
        const found = await scan(setup, family, ...RANGE, ...order, '--max-retries', '0')
        t.same(found.get(PORT), 'filtered no-response', `IPv${family} ${order}`)
      }
      await Promise.all(FAMILIES.map(run))
    }
    t.match(await setup.counters(), { knocks: 12, grants: 0 })
  },
  TCP_STEPS,
)

withSetup('a scan with retries does not open a door of mixed protocols', {}, async (t, setup) => {
  await Promise.all(FAMILIES.map((family) => scan(setup, family, ...RANGE, '-T5')))
  const answers = await Promise.all(FAMILIES.map((family) => setup.answers(family)))
  t.same(answers, [false, false])
  t.match(await setup.counters(), { grants: 0 })
})
