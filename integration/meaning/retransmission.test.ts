// A connect() without an answer retransmits its SYN: within an attempt that neither counts nor
// resets.
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { validateSpec } from '../../lib/spec/validate.js'
import { missing } from '../machine/capabilities.js'
import { apply, listTable, SERVER, start, sweep } from '../machine/namespaces.js'
import { PlaybackSetup } from '../replay/playback.js'

const skip = missing()
if (!skip) sweep()

const FAMILIES = [4, 6] as const
type Family = (typeof FAMILIES)[number]

const document = (steps: readonly string[]) =>
  validateSpec({
    doors: [
      {
        name: 'ssh',
        service: 'tcp/22',
        knock: { type: 'sequence', steps, stepTimeout: 30 },
        open: { for: 60 },
      },
    ],
  })

/** A program that calls connect() and waits. */
const CONNECT = `
  const [host, port, seconds] = process.argv.slice(1)
  require('node:net').connect({ host, port: Number(port) }).on('error', () => {})
  setTimeout(() => process.exit(), Number(seconds) * 1000)
`

t.test('a connect() that retransmits its SYN knocks once', { skip }, async (t) => {
  const seconds = 8
  const steps = ['tcp/7000', 'tcp/8000', 'tcp/9000']
  const alone = { name: 'a single knock', spec: document(['tcp/7000']), port: 7000 }
  const first = { name: 'the first knock', spec: document(steps), port: 7000 }
  const other = { name: 'another port', spec: document(steps), port: 5000 }

  const run = async ({ name, spec, port }: typeof alone, family: Family) => {
    await using setup = await PlaybackSetup.open(spec, { silent: false })
    const { server, client } = setup.pair
    await apply(
      server,
      `table inet host {
        counter syns { }
        chain first {
          type filter hook prerouting priority -300
          tcp dport ${port} tcp flags syn counter name syns
        }
        chain last {
          type filter hook input priority 200
          tcp dport 5000 drop
        }
      }`,
    )
    const source = family === 4 ? '10.77.0.2' : 'fd00:77::2'
    const knock = async (port: number, sourcePort: number) => {
      setup.injector.send({ at: 0, source, protocol: 'tcp', port, sourcePort })
      await setup.injector.flush()
    }
    const syns = async (): Promise<number> => {
      const listing = (await listTable(server, 'host')) ?? []
      const counter = listing.find((object) => object['counter'])?.['counter']
      return (counter as { packets: number }).packets
    }
    if (port === 5000) await knock(7000, 1)
    const connect = start(
      client,
      process.execPath,
      ['-e', CONNECT, SERVER[family], String(port), String(seconds)],
      { stdio: 'ignore' },
    )
    while ((await syns()) === 0) await sleep(50)
    // The first SYN to another port ended an attempt. Its retransmissions must not end the next
    // attempt.
    if (port === 5000) await knock(7000, 2)
    if (spec !== alone.spec) await knock(8000, 3)
    await new Promise((resolve) => connect.once('exit', resolve))
    const waiting = (await setup.state())['ssh']
    if (spec !== alone.spec) await knock(9000, 4)
    const { state, guard } = await setup.look()
    const packets = await syns()
    const seen = { waiting, done: state['ssh'], repeated: guard.repeated }
    return { name: `${name}, IPv${family}`, packets, source, spec, ...seen }
  }

  const runs = [alone, first, other].flatMap((kind) => FAMILIES.map((family) => run(kind, family)))
  for (const { name, packets, source, waiting, done, repeated, spec } of await Promise.all(runs)) {
    t.ok(packets >= 4, `${name}: ${packets} SYNs of one connection`)
    if (spec !== alone.spec)
      t.same(waiting?.stages['open'], { [source]: 2 }, `${name}: still waiting`)
    const resets = spec === other.spec ? 1 : 0
    const knocks = spec === alone.spec ? 1 : 3 + resets
    t.same(done?.counters, { knocks, grants: 1, closes: 0, resets, wrong: 0, denied: 0 }, name)
    t.same(Object.keys(done?.grants ?? {}), [source], `${name}: granted`)
    t.equal(repeated, spec === other.spec ? 0 : packets - 1, `${name}: repetitions at a knock port`)
  }
})
