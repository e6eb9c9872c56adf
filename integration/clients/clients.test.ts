// Other clients and our own: each opens a door of three steps alone, with one packet for each step.
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import type { Family } from '../../lib/spec/model/packet-model.js'
import { build, CLI, LIBRARY } from '../machine/built.js'
import { missing } from '../machine/capabilities.js'
import { SERVER, start, sweep } from '../machine/namespaces.js'
import { doorOf, FAMILIES, ServiceSetup } from '../setups/service-setup.js'

const skip = missing('knock', 'hping3', 'nmap', 'nc', 'bash', 'ping')
if (!skip) {
  sweep()
  build()
}

interface Client {
  readonly name: string
  readonly steps: readonly unknown[]
  /** The families that the client knows. Default: both. */
  readonly families?: readonly Family[]
  send(setup: ServiceSetup, family: Family, host: string): Promise<void>
}

const STEPS = ['tcp/7000', 'udp/8000', 'tcp/9000']
const LENGTHS = [0, 100, 228]
const echo = (length: number) => ({ protocol: 'icmp', length })

/**
 * Runs a program once for each list of arguments, one after the other. Ignores its exit code.
 */
async function runEach(setup: ServiceSetup, file: string, calls: readonly (readonly string[])[]) {
  for (const args of calls) await setup.run(file, ...args)
}

/** Runs a program that waits for an answer, and ends it before its SYN is retransmitted. */
async function hang(setup: ServiceSetup, file: string, args: readonly string[]): Promise<void> {
  const child = start(setup.pair.client, file, args, { stdio: 'ignore' })
  await sleep(300)
  child.kill('SIGTERM')
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}

const hping3 = (...ways: readonly string[][]) => ({
  families: [4] as const,
  send: (setup: ServiceSetup, _: Family, host: string) =>
    runEach(
      setup,
      'hping3',
      ways.map((way) => ['-q', '-n', '-c', '1', '-i', 'u1', ...way, host]),
    ),
})

/** Returns the arguments for one probe of one port: nmap would choose the order of several. */
const nmap = (family: Family, host: string, way: string, port: string) => {
  const oneTry = ['--max-retries', '0', '--host-timeout', '201ms']
  return [...(family === 6 ? ['-6'] : []), '-Pn', '-n', way, ...oneTry, '-p', port, host]
}

const CLIENTS: readonly Client[] = [
  {
    name: 'knock with a delay',
    steps: STEPS,
    async send(setup, family, host) {
      await setup.run('knock', `-${family}`, '-d', '100', host, '7000', '8000:udp', '9000:tcp')
    },
  },
  {
    name: 'knock without a delay',
    steps: STEPS,
    async send(setup, _, host) {
      await setup.run('knock', host, '7000', '8000:udp', '9000')
    },
  },
  {
    name: 'knock -u',
    steps: ['udp/7000', 'udp/8000', 'udp/9000'],
    async send(setup, family, host) {
      await setup.run('knock', `-${family}`, '-u', '-d', '50', host, '7000', '8000', '9000')
    },
  },
  {
    name: 'hping3',
    steps: STEPS,
    ...hping3(['-S', '-p', '7000'], ['--udp', '-p', '8000'], ['-S', '-p', '9000']),
  },
  {
    name: 'hping3 with lengths',
    steps: ['tcp/7000', { protocol: 'udp', port: 8000, length: 33 }, echo(228)],
    ...hping3(['-S', '-p', '7000'], ['--udp', '-p', '8000', '-d', '33'], ['--icmp', '-d', '228']),
  },
  {
    name: 'hping3 with flags',
    steps: ['tcp/7000', { protocol: 'tcp', port: 8000, flags: 'fin,psh,urg,!syn' }, 'icmp'],
    ...hping3(['-S', '-p', '7000'], ['-F', '-P', '-U', '-p', '8000'], ['--icmp']),
  },
  {
    name: 'nmap',
    steps: STEPS,
    send: (setup, family, host) =>
      runEach(setup, 'nmap', [
        nmap(family, host, '-sS', '7000'),
        nmap(family, host, '-sU', '8000'),
        nmap(family, host, '-sS', '9000'),
      ]),
  },
  {
    name: 'nc',
    steps: STEPS,
    async send(setup, _, host) {
      await hang(setup, 'nc', ['-n', host, '7000'])
      await setup.run('bash', '-c', 'printf x | nc -n -u -q0 "$0" 8000', host)
      await hang(setup, 'nc', ['-n', host, '9000'])
    },
  },
  {
    name: 'bash',
    steps: STEPS,
    async send(setup, _, host) {
      await hang(setup, 'bash', ['-c', ': > "/dev/tcp/$0/7000"', host])
      await setup.run('bash', '-c', 'printf x > "/dev/udp/$0/8000"', host)
      await hang(setup, 'bash', ['-c', ': > "/dev/tcp/$0/9000"', host])
    },
  },
  {
    name: 'ping with lengths',
    steps: LENGTHS.map(echo),
    send: (setup, family, host) =>
      runEach(
        setup,
        'ping',
        LENGTHS.map((length) => [`-${family}`, '-c1', '-W0.01', '-n', '-s', String(length), host]),
      ),
  },
  {
    name: 'sendKnock',
    steps: ['tcp/7000', { protocol: 'udp', port: 8000, length: 5 }, 'tcp/9000', echo(64)],
    async send(setup, _, host) {
      const steps = JSON.stringify(this.steps)
      const code = `const { sendKnock } = await import(process.argv[1])
        await sendKnock(process.argv[2], { steps: ${steps} })`
      const { stderr } = await setup.run(
        ...[process.execPath, '--input-type=module', '-e', code, LIBRARY, host],
      )
      if (stderr) throw new Error(stderr)
    },
  },
  {
    name: 'knocklib knock',
    steps: [...STEPS, 'icmp'],
    async send(setup, _, host) {
      const steps = ['7000', '8000:udp', 'tcp/9000', 'icmp']
      const { stderr } = await setup.run(process.execPath, CLI, 'knock', host, ...steps)
      if (stderr) throw new Error(stderr)
    },
  },
]

t.jobs = 4

for (const client of CLIENTS) {
  const { name, steps, families = FAMILIES } = client
  t.test(name, { skip, buffered: true }, async (t) => {
    await using setup = await ServiceSetup.open(doorOf(steps))
    for (const family of families) {
      t.equal(await setup.answers(family), false, `IPv${family}: closed before`)
      await client.send(setup, family, SERVER[family])
      t.equal(await setup.answers(family), true, `IPv${family}: open after`)
    }
    const [knocks, grants] = [steps.length * families.length, families.length]
    t.match(await setup.counters(), { knocks, grants, resets: 0 }, 'one packet for each step')
  })
}
