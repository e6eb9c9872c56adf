// `knocklib run` and its observers: other watchers, and clients that ask for metrics.
import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { build, CLI } from '../../machine/built.js'
import { missing } from '../../machine/capabilities.js'
import { apply, CLIENT, exec, NFT, SERVER, start } from '../../machine/namespaces.js'
import { until } from '../../machine/until.js'
import { knockAt, type Line, type RunSetup, withRunSetup } from '../../setups/run-setup.js'

const skip = missing('knock', 'nc')
build()

t.jobs = 2

const test = (name: string, body: (t: Test, setup: RunSetup) => Promise<void>) =>
  withRunSetup(name, skip, body)

test('many watchers share the events of run, and go on when run is killed', async (t, setup) => {
  setup.run(['--events', 'removed,watching'])
  await setup.heard('watching')
  const env = { ...process.env, KNOCKLIB_NFT: NFT }
  const watchers = [1, 2, 3].map(() => {
    const child = start(setup.pair.server, process.execPath, [CLI, 'watch', '--json'], { env })
    const lines: Line[] = []
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      lines.push(JSON.parse(line) as Line)
    })
    t.teardown(() => child.kill('SIGKILL'))
    return { child, lines }
  })
  const haveAll = (name: string, some = watchers) =>
    some.every(({ lines }) => lines.some(({ event }) => event === name))
  // A watcher prints nothing when it begins.
  await until(async () => {
    await setup.cli('open', 'ssh', CLIENT[6])
    return haveAll('granted')
  }, 'grant at each watcher')
  const [first, second, stopped] = watchers as [Watch, Watch, Watch]
  stopped.child.kill('SIGSTOP')
  const knocks = ({ lines }: Watch) => lines.filter(({ source }) => source === CLIENT[4])
  await knockAt(setup)
  await until(() => knocks(first).length + knocks(second).length === 4, 'those that run')
  t.strictSame(
    knocks(first).map(({ event }) => event),
    ['knock', 'granted'],
  )
  t.strictSame(knocks(second), knocks(first))
  t.equal(setup.named('granted').length, 0, 'run writes no events to stdout here')
  stopped.child.kill('SIGCONT')
  await until(() => knocks(stopped).length === 2, 'the one that was stopped')
  t.strictSame(knocks(stopped), knocks(first))
  await setup.end('SIGKILL')
  await until(() => haveAll('overrun'), 'word of the gap')
})

interface Watch {
  readonly child: ChildProcess
  readonly lines: Line[]
}

test('run serves metrics', async (t, setup) => {
  setup.run(['--metrics', '127.0.0.1:0'])
  const { port } = await setup.heard('serving')
  await setup.heard('watching')
  await knockAt(setup)
  await setup.heard('granted')
  const get =
    `exec 3<>/dev/tcp/127.0.0.1/${port}; printf 'GET /metrics HTTP/1.0\\r\\n\\r\\n' ` +
    '>&3; cat <&3'
  const { stdout } = await exec(setup.pair.server, 'bash', ['-c', get])
  t.match(stdout, /^HTTP\/1\.1 200 OK/)
  t.match(stdout, /^knocklib_grants_total\{table="knock",door="ssh"\} 1$/m)
  t.match(stdout, /^knocklib_active_grants\{table="knock",door="ssh"\} 1$/m)
  t.match(stdout, /^knocklib_lost_events_total\{table="knock"\} 0$/m)
  t.match(stdout, /^knocklib_foreign_log_packets_total\{table="knock"\} 0$/m)
})

test('run refuses and counts foreign packets in its log group', async (t, setup) => {
  setup.run(['--metrics', '127.0.0.1:0'])
  const { port } = await setup.heard('serving')
  await setup.heard('watching')
  const { server, client } = setup.pair
  const rule = (prefix: string) => `icmp type echo-request log group 5 prefix "${prefix}"`
  await apply(
    server,
    `table ip other { chain c { type filter hook input priority -300;
      ${rule('somebody else')}
      ${rule('kl other knock ssh - 1/2 -')}
      ${rule('kl knock granted \u009b31m - - -')}
    }
    }`,
  )
  await exec(client, 'ping', ['-c', '3', '-i', '0.05', SERVER[4]])
  const get =
    `exec 3<>/dev/tcp/127.0.0.1/${port}; printf 'GET /metrics HTTP/1.0\\r\\n\\r\\n' ` +
    '>&3; cat <&3'
  let counted = ''
  await until(async () => {
    const { stdout } = await exec(server, 'bash', ['-c', get])
    counted = /^knocklib_foreign_log_packets_total.* (\d+)$/m.exec(stdout)?.[1] ?? ''
    return Number(counted) >= 6
  }, 'the count')
  await sleep(1500)
  await until(async () => {
    const { stdout } = await exec(server, 'bash', ['-c', get])
    counted = /^knocklib_foreign_log_packets_total.* (\d+)$/m.exec(stdout)?.[1] ?? ''
    return counted !== ''
  }, 'another look')
  t.equal(counted, '6', 'only packets that cannot be ours are counted')
  t.same(setup.named('granted'), [])
})

test('run keeps the doors although metrics cannot be served yet', async (t, setup) => {
  setup.run(['--metrics', '192.0.2.1:9477'])
  t.match(await setup.heard('failed'), {
    what: 'metrics',
    message: /this host has no such address/,
  })
  await setup.heard('watching')
  await exec(setup.pair.server, 'ip', ['address', 'add', '192.0.2.1/32', 'dev', 'lo'])
  t.match(await setup.heard('serving'), { address: '192.0.2.1', port: 9477 })
  t.equal(setup.named('failed').length, 1)
  t.equal(await setup.end('SIGTERM'), 0)
})
