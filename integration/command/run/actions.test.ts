// The actions of `knocklib run`: done once for each event, by one of several processes, and never
// in the way of a door. Programs that hang, in a burst of ten thousand events, too.
import { readFile } from 'node:fs/promises'
import t, { type Test } from 'tap'
import { attachKnock, createNft } from '../../../lib/index.js'
import { build } from '../../machine/built.js'
import { missing } from '../../machine/capabilities.js'
import { CLIENT, exec, NFT } from '../../machine/namespaces.js'
import { until } from '../../machine/until.js'
import { DOOR, knockAt, RunSetup, withRunSetup } from '../../setups/run-setup.js'

const skip = missing('knock', 'nc')
build()

t.jobs = 2

const test = (name: string, body: (t: Test, setup: RunSetup) => Promise<void>) =>
  withRunSetup(name, skip, body)

/** An action that appends a line for its event to a file. */
const note = (setup: RunSetup, more = '') => {
  const script = `echo "$KNOCK_EVENT $KNOCK_DOOR $KNOCK_SOURCE $KNOCK_BY" >> "$1"; ${more}`
  return ['/bin/sh', '-c', script, 'sh', setup.file('acted')]
}
const acted = async (setup: RunSetup): Promise<string[]> => {
  const text = await readFile(setup.file('acted'), 'utf8').catch(() => '')
  return text.split('\n').filter((line) => line !== '')
}

test('an action is done once for each event, by one of two processes', async (t, setup) => {
  const actions = [
    { on: ['granted', 'closed'], doors: ['ssh'], run: note(setup) },
    { on: ['granted'], run: ['/bin/sh', '-c', 'echo no such unit >&2; exit 5'] },
  ]
  await setup.write('doors.json', { doors: [DOOR], actions })
  setup.run()
  await setup.heard('watching')
  const second = new RunSetup(setup.pair, setup.folder)
  t.teardown(() => second.end('SIGKILL'))
  second.run()
  t.match(await second.heard('failed'), { what: 'events' })
  await knockAt(setup)
  await setup.heard('granted')
  await setup.cli('open', 'ssh', CLIENT[6])
  await setup.cli('close', 'ssh', CLIENT[6])
  t.match(await setup.heard('action-failed'), {
    ...{ action: 1, on: 'granted', door: 'ssh', reason: 'exit code 5: no such unit' },
  })
  await until(async () => (await acted(setup)).length >= 3, 'three events')
  const lines = [
    `granted ssh ${CLIENT[4]} knock`,
    `granted ssh ${CLIENT[6]} call`,
    `closed ssh ${CLIENT[6]} call`,
  ]
  t.strictSame(await acted(setup), lines)
  t.equal(await setup.end('SIGTERM'), 0)
  // The other one takes the place of the first.
  await second.heard('watching')
  await until(async () => {
    await setup.cli('open', 'ssh', '192.0.2.1')
    await setup.cli('close', 'ssh', '192.0.2.1')
    return (await acted(setup)).length > 3
  }, 'event at the second')
  t.equal(await second.end('SIGTERM'), 0)
  t.strictSame((await acted(setup)).slice(0, 3), lines)
})

test('a burst of ten thousand events and an action that hangs harm no door', async (t, setup) => {
  const second = {
    ...DOOR,
    name: 'web',
    service: 'tcp/443',
    knock: { ...DOOR.knock, steps: ['tcp/1'] },
  }
  const actions = [{ on: ['granted'], run: note(setup, 'sleep 10'), timeout: '60s' }]
  await setup.write('doors.json', { doors: [DOOR, second], actions })
  setup.run([
    '--events',
    'granted,restored,watching,action-failed,action-overrun',
    '--metrics',
    '127.0.0.1:0',
  ])
  await setup.heard('watching')
  const { port } = await setup.heard('serving')
  const residentOf = async () => {
    const text = await readFile(`/proc/${setup.pid}/status`, 'utf8')
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(text)?.[1]) / 1024
  }
  const before = await residentOf()
  const nft = createNft({ binary: NFT, netns: setup.pair.server })
  const knock = await attachKnock({ nft })
  const sources = (from: number, prefix: string, base: number) =>
    Array.from({ length: 500 }, (_, n) => `${prefix}${(from + n).toString(base)}`)
  for (let from = 0; from < 5000; from += 500) {
    const four = Array.from(
      { length: 500 },
      (_, n) => `10.98.${(from + n) >> 8}.${(from + n) & 255}`,
    )
    await knock.door('ssh').openMany(four)
    await knock.door('web').openMany(sources(from, 'fd00:98::', 16))
  }
  const lost = async () => {
    const ask = `exec 3<>/dev/tcp/127.0.0.1/${port}; printf 'GET /metrics HTTP/1.0\\r\\n\\r\\n' >&3`
    const { stdout } = await exec(setup.pair.server, 'bash', ['-c', `${ask}; cat <&3`])
    return Number(/^knocklib_actions_total.*result="lost"\} (\d+)$/m.exec(stdout)?.[1])
  }
  // All but those that wait and run. Those that are done meanwhile are few.
  await until(async () => (await lost()) >= 9_700, 'count')
  // The doors and the keeper go on as ever, while programs hang.
  await knockAt(setup)
  await until(() => setup.named('granted').some(({ source }) => source === CLIENT[4]), 'grant')
  await exec(setup.pair.server, NFT, ['flush', 'ruleset'])
  const { took } = await setup.heard('restored')
  t.ok(Number(took) < 10_000, `put back after ${took} ms`)
  t.ok(await knock.door('ssh').grantOf(CLIENT[4]))
  const grown = (await residentOf()) - before
  t.comment(`${grown.toFixed(1)} MiB more, put back after ${took} ms`)
  t.ok(grown < 80, `${grown} MiB more`)
  const asks = ['-c', `pgrep -fc "^/bin/sh -c echo.*${setup.file('acted')}"`]
  const { stdout } = await exec(setup.pair.server, 'bash', asks)
  t.ok(Number(stdout) <= 2, `${stdout} programs at a time, one for each door`)
  t.equal(await setup.end('SIGTERM'), 0)
  const left = await exec(setup.pair.server, 'bash', asks)
  t.equal(left.stdout, '0\n', 'nothing is left')
  const reported = setup.named('action-overrun').reduce((sum, { lost }) => sum + Number(lost), 0)
  const begun = (await acted(setup)).length
  t.ok(reported + begun >= 10_000, `${reported} left out, ${begun} begun`)
  t.match(setup.named('action-failed')[0], { reason: /the keeper ends$/ })
})

test('a reload changes the actions', async (t, setup) => {
  setup.run()
  await setup.heard('watching')
  await setup.write('doors.json', {
    doors: [DOOR],
    actions: [{ on: ['granted'], run: note(setup) }],
  })
  process.kill(setup.pid, 'SIGHUP')
  await setup.heard('watching', 2)
  await knockAt(setup)
  await until(async () => (await acted(setup)).length === 1, 'action')
  await setup.write('doors.json', {
    doors: [DOOR],
    actions: [{ on: ['grantd'], run: note(setup) }],
  })
  process.kill(setup.pid, 'SIGHUP')
  t.match(await setup.heard('failed'), { what: 'reload', message: /did you mean granted\?/ })
  await setup.heard('watching', 3)
  await setup.cli('open', 'ssh', CLIENT[6])
  await until(async () => (await acted(setup)).length === 2, 'action of the spec before')
  await setup.write('doors.json', { doors: [DOOR], actions: [] })
  process.kill(setup.pid, 'SIGHUP')
  await setup.heard('watching', 4)
  await setup.cli('open', 'ssh', '192.0.2.1')
  await setup.heard('granted', 3)
  t.equal((await acted(setup)).length, 2)
})
