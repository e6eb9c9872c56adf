// Scripts made of a profile → each opens its door over IPv4 and IPv6 at once, run by dash and bash;
// shellcheck has nothing to say.
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import {
  type Carrier,
  createNft,
  type DoorSpec,
  installKnock,
  type Knock,
  validateSpec,
} from '../../lib/index.js'
import { type FormatName, formatOf } from '../../lib/profile/formats.js'
import { profileFromSpec } from '../../lib/profile/from-spec.js'
import type { Family } from '../../lib/spec/model/packet-model.js'
import { missing } from '../machine/capabilities.js'
import { createPair, exec, type Pair, SERVER, sweep } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'
import { NAME, runWithName } from '../setups/host-names.js'
import { FAMILIES, startService } from '../setups/service-setup.js'

const { versions, skip: lacks } = await versionsOrSkip()
const skip =
  lacks || missing('dash', 'bash', 'nc', 'ping', 'knock', 'shellcheck', 'unshare', 'getent')
/** The oldest that knows tokens and rotations. */
const binary = versions[1]?.path ?? ''
if (!skip) sweep()

/** A shell, the format that it runs, and the user whose token it sends: each works once. */
interface Runner {
  readonly shell: 'dash' | 'bash'
  readonly format: FormatName & ('sh' | 'bash' | 'knock')
}
const RUNNERS: readonly Runner[] = [
  { shell: 'dash', format: 'sh' },
  { shell: 'bash', format: 'sh' },
  { shell: 'bash', format: 'bash' },
  { shell: 'dash', format: 'knock' },
]

/** Scripts run at the same time: the packets of one must not end the attempt of another. */
const SEQUENCE = { type: 'sequence', stepTimeout: '10s', reset: 'never' }
const PORT = 2200

const tokenOf = (folder: string, carrier: Carrier, port: number) => ({
  ...{ type: 'token', carrier, port: `udp/${port}`, period: '10m' },
  users: [{ name: 'ana', secretFile: join(folder, 'ana.key') }],
})

/** The door that echo requests over IPv6 alone open. */
const PINGED = 'pinged'

/** One door for each kind that a script can do; in the order of their service's ports. */
const knocksOf = (folder: string): Readonly<Record<string, object>> => ({
  steps: { ...SEQUENCE, steps: ['tcp/7000', 'udp/8000', 'tcp/7001'] },
  sized: {
    ...SEQUENCE,
    steps: [
      'tcp/7010',
      { protocol: 'udp', port: 8010, length: 33 },
      { protocol: 'icmp', length: 100 },
    ],
  },
  rotate: {
    ...SEQUENCE,
    rotate: {
      ...{ secretFile: join(folder, 'ssh.key'), every: '1h', steps: 3 },
      ...{ protocol: 'tcp', ports: '20000-30000' },
    },
  },
  datagrams: {
    ...SEQUENCE,
    rotate: {
      ...{ secretFile: join(folder, 'ssh.key'), every: '1h', steps: 3 },
      ...{ protocol: 'udp', ports: '30001-40000' },
    },
  },
  token: tokenOf(folder, 'udp', 6000),
  rate: { type: 'rate', port: `tcp/${PORT + 5}`, hits: 2, min: '1s', max: '6s' },
  rhythm: { type: 'rhythm', port: `tcp/${PORT + 6}`, counts: [1, 2], window: '3s' },
  stun: tokenOf(folder, 'stun', 3478),
  dns: tokenOf(folder, 'dns', 6053),
  // Of other lengths than the pings of another door.
  [PINGED]: {
    ...SEQUENCE,
    steps: [40, 60].map((length) => ({ protocol: 'icmpv6', length })),
  },
})

/** What Debian's knock cannot do. */
const NOT_BY_KNOCK = ['sized', 'rotate', 'datagrams', 'token', 'stun', 'dns', PINGED]

async function writeSecrets(folder: string): Promise<void> {
  // Longer than a block of SHA-256, and one without a newline at its end.
  const secrets = { 'ssh.key': `${randomBytes(40).toString('hex')}\n`, 'ana.key': randomBytes(33) }
  for (const [name, secret] of Object.entries(secrets)) {
    await writeFile(join(folder, name), secret, { mode: 0o600 })
  }
}

const counters = async (knock: Knock, door: string) => (await knock.counters())[door]

/** Runs the script of a door, and connects over both families: to those that it opens. */
async function open(t: Test, { shell, format }: Runner, doors: Doors, door: string, port: number) {
  const { pair, knock, folder, spec } = doors
  const profile = profileFromSpec(spec, { door, host: NAME })
  const script = join(folder, `${door}.${format}`)
  await writeFile(script, await formatOf(format).write(profile, { name: 'server' }))
  if (format !== 'knock') {
    const { stdout } = spawnSync('shellcheck', [script], { encoding: 'utf8' })
    t.equal(stdout, '', `${door}: shellcheck has no complaint`)
  }
  const { code, stderr } = await runWithName(pair.client, folder, [shell, script])
  t.same({ code, stderr }, { code: 0, stderr: '' }, `${door}: ${shell} runs ${format}`)
  const greetings = await Promise.all(
    FAMILIES.map((family) => exec(pair.client, 'nc', ['-w2', SERVER[family], String(port)])),
  )
  const opened: readonly Family[] = door === PINGED ? [6] : FAMILIES
  t.same(
    greetings.map(({ stdout }) => stdout),
    FAMILIES.map((family) => (opened.includes(family) ? 'hello' : '')),
    `${door}: the door is open over ${opened}`,
  )
  t.match(await counters(knock, door), { grants: opened.length, resets: 0, wrong: 0 }, door)
}

interface Doors {
  readonly pair: Pair
  readonly knock: Knock
  readonly folder: string
  readonly spec: ReturnType<typeof validateSpec>
}

t.jobs = 2

for (const runner of RUNNERS) {
  const name = `${runner.format} by ${runner.shell}`
  t.test(name, { skip, buffered: true }, async (t) => {
    const folder = t.testdir({})
    await writeSecrets(folder)
    const doors = Object.entries(knocksOf(folder)).map(([name, knock], index) => ({
      ...{ name, service: `tcp/${PORT + index}`, knock, open: { for: '60s' } },
    }))
    const spec = validateSpec({ doors: doors as DoorSpec[] })
    await using pair = await createPair()
    const nft = createNft({ binary, netns: pair.server })
    await using knock = await installKnock(spec, { nft })
    const ports = doors.map((_, index) => PORT + index)
    const services = await Promise.all(ports.map((port) => startService(pair.server, port)))
    t.teardown(() => Promise.all(services.map((service) => service[Symbol.asyncDispose]())))
    const known = doors.filter(
      ({ name }) => runner.format !== 'knock' || !NOT_BY_KNOCK.includes(name),
    )
    await Promise.all(
      known.map(({ name }) => {
        const port = PORT + doors.findIndex((door) => door.name === name)
        return open(t, runner, { pair, knock, folder, spec }, name, port)
      }),
    )
  })
}
