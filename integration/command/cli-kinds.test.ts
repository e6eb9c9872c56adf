// Doors of every kind, which only `knocklib knock --profile` opens; refill; a trace with a token.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { deriveToken } from '../../lib/spec/derive/derive.js'
import { build } from '../machine/built.js'
import { missing } from '../machine/capabilities.js'
import { exec, SERVER, sweep } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'
import { FAMILIES, PORT, startService } from '../setups/service-setup.js'
import { atServer, type User } from '../setups/user.js'

const lacks = missing('nc')
if (!lacks) {
  sweep()
  build()
}
const { versions, skip } = await versionsOrSkip()
/** The oldest nft whose JSON has sets of tokens and of times. */
const modern = versions.find(({ version }) => !version.startsWith('1.0.'))?.path

const SECRET = 'a secret of more than sixteen bytes'
const SPEC = 'kind.json'

t.jobs = 2

/** Installs a door with this knock and starts its service. */
async function guard(t: Test, user: User, knock: unknown): Promise<void> {
  const open = { for: '60s' }
  await user.write('key', `${SECRET}\n`)
  await user.write(SPEC, { doors: [{ name: 'ssh', service: `tcp/${PORT}`, knock, open }] })
  await user.serve(t, 'install', SPEC)
  const service = await startService(user.pair.server)
  t.teardown(() => service[Symbol.asyncDispose]())
}

async function answers({ pair }: User, host: string): Promise<boolean> {
  const { stdout } = await exec(pair.client, 'nc', ['-n', '-w1', host, String(PORT)])
  return stdout === 'hello'
}

/** Tests over each family that a profile opens the door. Returns what the command printed. */
async function opens(t: Test, user: User, profile: unknown): Promise<string[]> {
  await user.write('profile.json', profile)
  const said: string[] = []
  for (const family of FAMILIES) {
    t.equal(await answers(user, SERVER[family]), false, `IPv${family}: closed before`)
    said.push(await user.call(t, 'knock', SERVER[family], '--profile', 'profile.json'))
    t.equal(await answers(user, SERVER[family]), true, `IPv${family}: open after`)
  }
  return said.map((text) => text.replace(/^\S+: /, ''))
}

const silence = 'a door gives no answer'

const rotate = {
  secretFile: 'key',
  every: '1d',
  steps: 4,
  protocol: 'tcp',
  ports: '20000-60000',
} as const

const token = {
  type: 'token',
  port: 'udp/6000',
  period: '10s',
  users: [{ name: 'ana', secretFile: 'key' }],
}

atServer(
  'knock sends a token, and each token opens once',
  skip,
  async (t, user) => {
    await guard(t, user, token)
    const profile = { door: 'ssh', port: 'udp/6000', secretFile: 'key', period: '10s' }
    await user.write('profile.json', { token: profile })
    const knock = ['knock', '--profile', 'profile.json']
    t.equal(await answers(user, SERVER[4]), false, 'closed before')
    const said = await user.call(t, ...knock, SERVER[4])
    t.equal(said, `${SERVER[4]}: a token sent; ${silence}\n`)
    t.equal(await answers(user, SERVER[4]), true, 'open after')
    const refilled = await user.serve(t, 'refill', SPEC)
    t.equal(refilled, 'table inet knock is filled anew\n')
    await user.serve(t, 'close', 'ssh', '10.77.0.2')
    await user.write('other.json', { token: { ...profile, door: 'other' } })
    await user.call(t, 'knock', SERVER[4], '--profile', 'other.json')
    t.equal(await answers(user, SERVER[4]), false, "another door's token opens nothing")
    t.match(await user.serve(t, 'status'), /denied \d+, wrong [1-9]/)
    const json = await user.serve(t, 'refill', SPEC, '--json')
    t.same(JSON.parse(json), { table: 'knock', refilled: true })
  },
  modern,
)

atServer(
  'knock sends a rotation',
  skip,
  async (t, user) => {
    await guard(t, user, { type: 'sequence', rotate })
    const said = await opens(t, user, { rotate: { door: 'ssh', ...rotate }, gap: '50ms' })
    const expected = `4 packets sent, the sequence of this time; ${silence}\n`
    t.same(said, [expected, expected])
  },
  modern,
)

atServer('knock sends one-time sequences', lacks, async (t, user) => {
  const oneTime = [['tcp/7000', 'udp/7001'], ['tcp/7002', 'udp/7003', 'tcp/7004'], ['tcp/7005']]
  await guard(t, user, { type: 'sequence', oneTime })
  const said = await opens(t, user, { oneTime: oneTime.slice(0, 2), gap: '50ms' })
  t.same(said, [
    `2 packets sent, a sequence that is used up; 1 sequence left; ${silence}\n`,
    `3 packets sent, a sequence that is used up; 0 sequences left; ${silence}\n`,
  ])
  const rest = JSON.parse(await readFile(join(user.folder, 'profile.json'), 'utf8'))
  t.same(rest, { oneTime: [], gap: '50ms' })
  await user.serve(t, 'close', 'ssh', '10.77.0.2')
  await user.write('profile.json', { oneTime: oneTime.slice(0, 1) })
  const again = await user.call(t, 'knock', SERVER[4], '--profile', 'profile.json', '--json')
  t.same(JSON.parse(again), { host: SERVER[4], sent: 2, addresses: [SERVER[4]], left: 0 })
  t.equal(await answers(user, SERVER[4]), false, 'no sequence opens twice')
})

for (const port of [`tcp/${PORT}`, 'udp/7000']) {
  atServer(`knock sends a rate at ${port}`, lacks, async (t, user) => {
    const rate = { port, hits: 3, min: '1s', max: '3s' }
    await guard(t, user, { type: 'rate', ...rate })
    await user.write('profile.json', { rate })
    const said = await user.call(t, 'knock', SERVER[4], '--profile', 'profile.json')
    t.equal(said, `${SERVER[4]}: 3 packets sent; connect now\n`)
    t.equal(await answers(user, SERVER[4]), true)
    t.equal(await answers(user, SERVER[6]), false, 'another source is not let in')
  })

  atServer(`knock sends a rhythm at ${port}`, lacks, async (t, user) => {
    const rhythm = { port, counts: [1, 3, 2], window: '2s' }
    await guard(t, user, { type: 'rhythm', ...rhythm })
    await user.write('profile.json', { rhythm })
    const said = await user.call(t, 'knock', SERVER[6], '--profile', 'profile.json')
    t.equal(said, `${SERVER[6]}: 6 packets sent; connect now\n`)
    t.equal(await answers(user, SERVER[6]), true)
    t.equal(await answers(user, SERVER[6]), false, 'the grant is for one connection')
  })
}

atServer('simulate accepts a token', lacks, async (t, user) => {
  await user.write('key', `${SECRET}\n`)
  const door = { name: 'ssh', service: 'tcp/22', knock: token, open: { for: '60s' } }
  await user.write(SPEC, { doors: [door] })
  const at = 1_767_225_600
  const payload = deriveToken(new TextEncoder().encode(SECRET), 'ssh', at / 10)
  const lines = [`${at} 10.77.0.2 udp/6000 payload=${payload}`, `${at + 1} 10.77.0.2 tcp/22`]
  await user.write('token.txt', lines.join('\n'))
  const text = await user.serve(t, 'simulate', SPEC, 'token.txt')
  t.match(text, /tcp\/22 +accept\n/)
  t.match(text, /10\.77\.0\.2 {2}let in {2}59 s left/)
  t.match(text, /granted ssh 1\/1 ana$/m)
  t.notMatch(text, payload)
})
