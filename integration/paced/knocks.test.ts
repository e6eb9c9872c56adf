// Rates and rhythms in the kernel, with real clients that keep the times, and with clients that
// hang, flood or guess.
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { missing } from '../machine/capabilities.js'
import { CLIENT, exec, NFT, SERVER, start, sweep } from '../machine/namespaces.js'
import { dial, greeting, listen } from '../machine/sockets.js'
import { host, PacketSetup } from '../setups/packet-setup.js'

const skip = missing('bash', 'nc', 'hping3')
if (!skip) sweep()

type Family = 4 | 6
const FAMILIES = [4, 6] as const
const PORT = 2222

const doorOf = (knock: object, open: object = {}) => ({
  doors: [{ name: 'service', service: `tcp/${PORT}`, knock, open: { for: '60s', ...open } }],
})

/** hping3 would choose from 2,000 ports at random; the same port again is a repeated SYN. */
let sourcePort = 30_000

/** Ways to send one SYN. */
const CLIENTS: Readonly<Record<string, (host: string, port: number) => [string, ...string[]]>> = {
  bash: (host, port) => ['bash', '-c', ': > "/dev/tcp/$0/$1"', host, String(port)],
  nc: (host, port) => ['nc', '-n', '-d', host, String(port)],
  hping3(host, port) {
    sourcePort += 1
    const ports = ['-s', String(sourcePort), '-p', String(port)]
    return ['hping3', '-q', '-n', '-c', '1', '-S', ...ports, host]
  },
}

async function knock(
  { pair }: PacketSetup,
  client: string,
  host: string,
  port: number,
): Promise<void> {
  const [file, ...args] = CLIENTS[client]?.(host, port) ?? ['false']
  const child = start(pair.client, file, args, { stdio: 'ignore' })
  // hping3 ends by itself and sends nothing twice. The others retransmit after a second.
  if (client !== 'hping3') {
    await sleep(700)
    child.kill('SIGKILL')
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}

/** The last setup: setups run one after the other, since all at once would delay each other. */
let last: Promise<unknown> = Promise.resolve()

/** Runs a test in namespaces of its own, with a listener behind the door. */
function at(name: string, spec: object, run: (t: Test, setup: PacketSetup) => Promise<void>): void {
  t.test(name, { skip, buffered: true }, async (t) => {
    const turn = last.then(async () => {
      const setup = await PacketSetup.open(spec, NFT)
      return { setup, service: await listen(setup.pair.server, PORT, 'hello') }
    })
    last = turn.catch(() => {})
    const made = await turn
    await using setup = made.setup
    await using _service = made.service
    await run(t, setup)
  })
}

const ask = ({ pair }: PacketSetup, family: Family) => greeting(pair.client, SERVER[family], PORT)

t.jobs = 40

const RATE = { type: 'rate', port: 'tcp/7000', hits: 2, min: 2, max: 7 }
const OWN = { ...RATE, port: `tcp/${PORT}` }

for (const client of Object.keys(CLIENTS)) {
  for (const family of client === 'hping3' ? ([4] as const) : FAMILIES) {
    for (const rate of [RATE, OWN]) {
      at(`a rate at ${rate.port}, ${client}, IPv${family}`, doorOf(rate), async (t, setup) => {
        const port = Number(rate.port.slice(4))
        for (let hit = 0; hit < 2; hit += 1) await knock(setup, client, SERVER[family], port)
        await sleep(2500)
        t.equal(await ask(setup, family), 'hello', 'open in time')
        t.equal(await ask(setup, family), 'hello', 'open again for the same source')
        t.match(await setup.counters(), { knocks: rate === OWN ? 3 : 2, grants: 1, resets: 0 })
      })
    }
  }
}

for (const family of FAMILIES) {
  at(
    `too early and too late, IPv${family}`,
    doorOf({ ...RATE, min: 3, max: 8, penalty: 3 }),
    async (t, setup) => {
      const hits = async () => {
        for (let hit = 0; hit < 2; hit += 1) await knock(setup, 'nc', SERVER[family], 7000)
      }
      await hits()
      t.equal(await ask(setup, family), 'nothing', 'too early')
      await sleep(3400)
      await hits()
      await sleep(8500)
      t.equal(await ask(setup, family), 'nothing', 'too late')
      await hits()
      await sleep(3500)
      t.equal(await ask(setup, family), 'hello', 'in time')
      t.match(await setup.counters(), { knocks: 6, grants: 1, resets: 1 })
    },
  )

  const hanging = [
    ['a rate', RATE, 7000],
    ['a rate at the service', OWN, PORT],
    ['one hit at the service', { ...OWN, hits: 1, min: 0 }, PORT],
    [
      'a rhythm at the service',
      { type: 'rhythm', port: `tcp/${PORT}`, counts: [1, 1], window: 2 },
      PORT,
    ],
  ] as const
  for (const [name, knocks, port] of hanging) {
    at(`a connect() that hangs: ${name}, IPv${family}`, doorOf(knocks), async (t, setup) => {
      await using connection = dial(setup.pair.client, SERVER[family], port)
      // SYNs after 1, 2, 3, 4, 5, 7 and 11 s.
      t.equal(await connection.hear(12.5), 'nothing')
      t.match(await setup.counters(), { knocks: 1, grants: 0, resets: 0 }, 'is one knock')
    })
  }
}

const flood = (setup: PacketSetup, port: number, seconds: number) => {
  const args = [
    '-n',
    '-S',
    '-i',
    'u100000',
    '-c',
    String(10 * seconds),
    '-p',
    String(port),
    SERVER[4],
  ]
  return exec(setup.pair.client, 'hping3', args)
}

for (const rate of [RATE, OWN]) {
  at(`ten a second, to ${rate.port}`, doorOf({ ...rate, max: 4 }), async (t, setup) => {
    const port = Number(rate.port.slice(4))
    const own = port === PORT
    const [knocks, service] = await Promise.all([
      flood(setup, port, 10),
      own ? undefined : flood(setup, PORT, 10),
    ])
    t.notMatch(`${knocks.stdout}${service?.stdout}`, 'flags=SA', 'is never let in')
    t.match(
      await setup.counters(),
      { grants: 0, resets: 1 },
      'the penalty lasts as long as the flood',
    )
    // The knock is right, but within the penalty, which each packet restarts.
    for (let hit = 0; hit < 2; hit += 1) await knock(setup, 'nc', SERVER[4], port)
    await sleep(2500)
    t.equal(await ask(setup, 4), 'nothing', 'closed for a penalty after the flood')
    await sleep(4500)
    for (let hit = 0; hit < 2; hit += 1) await knock(setup, 'nc', SERVER[4], port)
    await sleep(1200)
    t.equal(await ask(setup, 4), 'hello', 'open after a pause')
  })
}

/** Sends bursts of packets, one burst every two seconds. */
async function play(setup: PacketSetup, source: string, step: string, counts: readonly number[]) {
  const start = performance.now()
  for (const [burst, count] of counts.entries()) {
    await sleep(Math.max(0, start + 2000 * burst - performance.now()))
    await setup.send(source, ...Array.from({ length: count }, () => step))
  }
  await sleep(500)
}

const WRONG = [[1, 2, 2], [1, 3, 3], [3, 2, 1], [6], [1, 2], [1, 1, 4]]

for (const family of FAMILIES) {
  for (const port of ['udp/7000', 'tcp/7000', `tcp/${PORT}`]) {
    const rhythm = { type: 'rhythm', port, counts: [1, 2, 3], window: 2 }
    // If the knock port is the service's, one packet too many is the connection.
    const wrong = port === `tcp/${PORT}` ? WRONG : [...WRONG, [1, 2, 4]]
    at(`1-2-3 at ${port}, IPv${family}`, doorOf(rhythm), async (t, setup) => {
      const guess = async (counts: readonly number[], index: number) => {
        const source = host(index + 1, family)
        await play(setup, source, port, counts)
        await setup.send(source, `tcp/${PORT}`)
      }
      await Promise.all([play(setup, CLIENT[family], port, [1, 2, 3]), ...wrong.map(guess)])
      t.equal(await ask(setup, family), 'hello')
      t.equal(await ask(setup, family), 'nothing', 'only one connection is let in')
      t.match(await setup.counters(), { grants: 1 }, 'and nobody else')
    })
  }
}

const timed: Readonly<Record<string, readonly [knock: object, pause: number, open?: object]>> = {
  'a rate': [{ ...RATE, port: 'udp/7000', min: 1, max: 30 }, 1300],
  'a rate, three connections': [
    { ...RATE, port: 'udp/7000', min: 1, max: 30 },
    1300,
    { connections: 3 },
  ],
  'a rhythm': [
    { type: 'rhythm', port: 'udp/7000', counts: [1, 1], window: 6 },
    6000,
    { connections: 'any' },
  ],
}

for (const [name, [knocks, pause, open]] of Object.entries(timed)) {
  const filling = { type: 'sequence', steps: ['udp/6999'] }
  const spec = { ...doorOf([filling, knocks] as object, open), guard: { capacity: 2 } }
  at(`grants that are full: ${name}`, spec, async (t, setup) => {
    const tries = FAMILIES.map(async (family) => {
      const [one = '', two = '', me = ''] = [1, 2, 3].map((number) => host(number, family))
      const isIn = async () => (await setup.granted()).includes(me)
      for (const source of [one, two]) await setup.send(source, 'udp/6999')
      await setup.send(me, 'udp/7000')
      if ('counts' in knocks) await sleep(pause)
      await setup.send(me, 'udp/7000')
      if (!('counts' in knocks)) await sleep(pause)
      await setup.send(me, `tcp/${PORT}`)
      t.equal(await isIn(), false, `IPv${family}: no room`)
      await setup.knock.door('service').close(one)
      await setup.send(me, `tcp/${PORT}`)
      t.equal(await isIn(), true, 'the right to connect is not lost')
      if (!open || !('connections' in open) || open.connections !== 3) return
      const later: boolean[] = []
      for (let connection = 2; connection <= 3; connection += 1) {
        await setup.send(me, `tcp/${PORT}`)
        later.push(await isIn())
      }
      t.same(later, [true, false], 'the first connection was counted')
    })
    await Promise.all(tries)
    t.match(await setup.counters(), { grants: 6, denied: 2 })
  })
}
