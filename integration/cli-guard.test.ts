// The built command at doors with bans, doors for everyone, and doors that cut connections.
import t from 'tap'
import { build } from './built.js'
import { missing } from './capabilities.js'
import { CLIENT, SERVER, sweep } from './namespaces.js'
import { atServer, type User } from './user.js'

const skip = missing('ping')
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

/** Installs a door with what it differs in. */
async function install(user: User, open: object, guard: object = {}): Promise<void> {
  const doors = [{ name: 'ssh', service: 'tcp/22', knock, open: { for: '60s', ...open } }]
  await user.write('own.json', { doors, guard })
  const { code, stderr } = await user.try(['install', 'own.json'])
  if (code !== 0) throw new Error(stderr)
}

atServer('status shows a ban, unban ends it', skip, async (t, user) => {
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
  t.same(counters, { bans: 1, ignored: 2, untold: 0 })
  t.ok(fill.every(({ elements }: { elements: number }) => elements > 0))
  t.equal(await user.serve(t, 'unban', CLIENT[4]), `${CLIENT[4]} is banned no longer\n`)
  const again = await user.try(['unban', CLIENT[4], '--json'])
  t.equal(again.code, 4)
  t.same(JSON.parse(again.stdout), { source: CLIENT[4], unbanned: false })
  await user.call(t, 'knock', SERVER[4], '7000', '7001', '7002')
  t.match(await user.serve(t, 'status'), /10\.77\.0\.2 {2}let in/)
})

atServer('open and close for everyone', skip, async (t, user) => {
  await install(user, { scope: 'everyone' })
  t.equal(await user.serve(t, 'open', 'ssh', 'everyone'), 'ssh: everyone is let in for 60 s\n')
  t.match(await user.serve(t, 'status'), /\n {2}everyone {2}let in {2}\d+ s left\n/)
  const wrong = await user.try(['open', 'ssh', CLIENT[4]])
  t.equal(wrong.code, 2)
  t.match(wrong.stderr, /^knocklib open: ssh: expected "everyone"/)
  t.equal(await user.serve(t, 'close', 'ssh', 'everyone'), 'ssh: everyone is let in no longer\n')
  t.equal((await user.try(['close', 'ssh', 'everyone'])).code, 4)
})

atServer('close --cut', skip, async (t, user) => {
  await install(user, { established: 'cut' })
  await user.serve(t, 'open', 'ssh', CLIENT[4])
  const closed = JSON.parse(await user.serve(t, 'close', 'ssh', CLIENT[4], '--cut', '--json'))
  t.same(closed, { door: 'ssh', source: CLIENT[4], closed: true })
  await install(user, {})
  await user.serve(t, 'open', 'ssh', CLIENT[4])
  const { code, stderr } = await user.try(['close', 'ssh', CLIENT[4], '--cut'])
  t.equal(code, 3)
  t.match(stderr, /^knocklib close: ssh keeps established connections: .*established: 'cut'/)
  t.match(await user.serve(t, 'status'), /10\.77\.0\.2 {2}let in/, 'the grant is still there')
})
