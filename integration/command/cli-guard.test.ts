// The built command at doors with bans, doors for everyone, and doors that cut connections.
import t from 'tap'
import { build } from '../machine/built.js'
import { missing } from '../machine/capabilities.js'
import { CLIENT, exec, SERVER, sweep } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'
import { atServer, type User } from '../setups/user.js'

const { versions, skip: lacks } = await versionsOrSkip()
const skip = lacks || missing('ping', 'nc')
if (!skip) {
  sweep()
  build()
}

t.jobs = 2

const knock = {
  type: 'sequence',
  steps: ['tcp/7000', 'tcp/7001', 'tcp/7002'],
  stepTimeout: 20,
}

/** Installs a door with this opening and guard. */
async function install(user: User, open: object, guard: object = {}): Promise<void> {
  const doors = [{ name: 'ssh', service: 'tcp/22', knock, open: { for: '60s', ...open } }]
  await user.write('own.json', { doors, guard })
  const { code, stderr } = await user.try(['install', 'own.json'])
  if (code !== 0) throw new Error(stderr)
}

atServer('status shows a ban, and unban ends it', skip, async (t, user) => {
  await install(user, {}, { ban: { after: 2, within: '1m', for: '10m' } })
  const none = await user.try(['unban', CLIENT[4]])
  t.same([none.code, none.stdout], [4, `${CLIENT[4]} was not banned\n`])
  for (const step of ['7000', '7002', '7000', '7002', '7000', '7001']) {
    await user.call(t, 'knock', SERVER[4], step)
  }
  const text = await user.serve(t, 'status')
  t.match(text, /\n\nguard {2}bans 1, ignored 2\n {2}10\.77\.0\.2 {2}banned {2}59\d s left\n/)
  t.match(text, /\n\nthe fullest sets\n.* of 262144 {2}under 1% full\n/)
  const { bans, counters, fill } = JSON.parse(await user.serve(t, 'status', '--json'))
  t.match(bans, [{ source: CLIENT[4] }])
  t.same(counters, { bans: 1, ignored: 2, repeated: 0, unlogged: 0 })
  t.ok(fill.every(({ elements }: { elements: number }) => elements > 0))
  t.equal(await user.serve(t, 'unban', CLIENT[4]), `${CLIENT[4]} is banned no longer\n`)
  const again = await user.try(['unban', CLIENT[4], '--json'])
  t.equal(again.code, 4)
  t.same(JSON.parse(again.stdout), { source: CLIENT[4], unbanned: false })
  await user.call(t, 'knock', SERVER[4], '7000', '7001', '7002')
  t.match(await user.serve(t, 'status'), /10\.77\.0\.2 {2}let in/)
})

const SOURCES = [CLIENT[4], CLIENT[6]]

/** Doors whose status shows the sources that try in vain, one of each kind. */
const IN_VAIN = [
  { name: 'ssh', service: 'tcp/22', knock, open: { for: '60s', connections: 1 } },
  {
    ...{ name: 'web', service: 'tcp/80', open: { for: '60s' } },
    knock: { type: 'rate', port: 'tcp/7005', hits: 2, max: '60s', penalty: '10m' },
  },
  {
    ...{ name: 'mail', service: 'tcp/25', open: { for: '60s', connections: 1 } },
    knock: { type: 'rate', port: 'tcp/7006', hits: 2, max: '60s' },
  },
]

for (const { version, path } of versions) {
  atServer(
    `status shows a grant that a probe used up, and who is penalised, nft ${version}`,
    skip,
    async (t, user) => {
      await user.write('own.json', { doors: IN_VAIN })
      t.equal((await user.try(['install', 'own.json'])).code, 0)
      const probe = (to: string, port: string) =>
        exec(user.pair.client, 'nc', ['-z', '-w', '1', to, port])
      for (const family of [4, 6] as const) {
        const to = SERVER[family]
        await user.call(t, 'knock', to, '7000', '7001', '7002')
        await probe(to, '22')
        await user.call(t, 'knock', to, '7005', '7005', '7005')
        await user.call(t, 'knock', to, '7006', '7006')
        await probe(to, '25')
      }
      const text = await user.serve(t, 'status')
      const block = (name: string) => text.split('\n\n').find((part) => part.startsWith(name))
      for (const source of SOURCES) {
        const usedUp = new RegExp(`\\n {2}${source} +used up {2}\\d+ s ago, must knock again`)
        t.match(block('ssh'), usedUp, 'a used-up grant is shown')
        t.match(block('mail'), usedUp, 'a knock that ends with its connection is shown')
        t.match(block('web'), new RegExp(`\\n {2}${source} +penalised {2}\\d{3} s left`))
      }
      const { doors } = JSON.parse(await user.serve(t, 'status', '--json'))
      const [ssh, web, mail] = doors
      for (const { usedUp } of [ssh, mail]) {
        t.equal(usedUp.length, 2)
        t.ok(usedUp.every(({ ago }: { ago: number }) => ago >= 0 && ago < 60))
      }
      const sources = ({ penalised }: typeof web) =>
        penalised.map(({ source, knock }: { source: string; knock: string }) => [source, knock])
      t.same(sources(web).sort(), SOURCES.map((source) => [source, 'open']).sort())
      t.notOk('usedUp' in web || 'penalised' in ssh)
      const metrics = await user.serve(t, 'metrics')
      t.match(metrics, /\nknocklib_active_penalties\{table="knock",door="web"\} 2\n/)
      await user.call(t, 'knock', SERVER[4], '7000', '7001', '7002')
      const again = await user.serve(t, 'status')
      t.match(again, /\n {2}10\.77\.0\.2 +let in/)
      t.notMatch(
        again.split('\n\n')[1],
        /10\.77\.0\.2 +used up/,
        'a source that knocked again is not shown',
      )
    },
    path,
  )
}

atServer('open and close work for everyone', skip, async (t, user) => {
  await install(user, { scope: 'everyone' })
  t.equal(await user.serve(t, 'open', 'ssh', 'everyone'), 'ssh: everyone is let in for 60 s\n')
  t.match(await user.serve(t, 'status'), /\n {2}everyone {2}let in {2}\d+ s left\n/)
  const wrong = await user.try(['open', 'ssh', CLIENT[4]])
  t.equal(wrong.code, 2)
  t.match(wrong.stderr, /^knocklib open: ssh: expected "everyone"/)
  t.equal(await user.serve(t, 'close', 'ssh', 'everyone'), 'ssh: everyone is let in no longer\n')
  t.equal((await user.try(['close', 'ssh', 'everyone'])).code, 4)
})

atServer('close --cut ends connections', skip, async (t, user) => {
  await install(user, { established: 'cut' })
  await user.serve(t, 'open', 'ssh', CLIENT[4])
  const closed = JSON.parse(await user.serve(t, 'close', 'ssh', CLIENT[4], '--cut', '--json'))
  t.same(closed, { door: 'ssh', source: CLIENT[4], closed: true })
  await install(user, {})
  await user.serve(t, 'open', 'ssh', CLIENT[4])
  const { code, stderr } = await user.try(['close', 'ssh', CLIENT[4], '--cut'])
  t.equal(code, 3)
  t.match(stderr, /^knocklib close: ssh keeps established connections: .*established: 'cut'/)
  t.match(await user.serve(t, 'status'), /10\.77\.0\.2 {2}let in/, 'the grant of the source stays')
})
