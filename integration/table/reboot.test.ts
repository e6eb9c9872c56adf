// A reboot: the namespace is removed and made again, and the table's saved state comes back with
// it.
import { readFile, stat } from 'node:fs/promises'
import t from 'tap'
import { installKnock, loadState, saveState } from '../../lib/index.js'
import { carriedToken } from '../../lib/spec/derive/carrier.js'
import { build } from '../machine/built.js'
import { missing } from '../machine/capabilities.js'
import { CLIENT, NFT, sweep } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'
import { datagram } from '../random/arbitrary-token.js'
import { host, PacketSetup } from '../setups/packet-setup.js'
import { doorOf } from '../setups/service-setup.js'
import { nowSeconds, OTHERS, TokenSetup, tokenAt } from '../setups/token-setup.js'
import { atServer } from '../setups/user.js'

const { versions, skip: lacks } = await versionsOrSkip()
const skip = lacks || missing()
if (!skip) {
  sweep()
  build()
}
const [, ...able] = versions

const FIRST = ['udp/7000', 'udp/7001']
const SECOND = ['udp/7000', 'udp/7002']

const door = (name: string, port: number, knock: object, open: object) => ({
  name,
  service: `tcp/${port}`,
  knock: { type: 'sequence', stepTimeout: '20s', reset: 'never', ...knock },
  open,
})

const SPEC = {
  guard: { ban: { after: 1, within: '1m', for: '10m' } },
  doors: [
    door('once', 2201, { oneTime: [FIRST, SECOND] }, { for: '5m' }),
    door('counted', 2202, { steps: ['udp/7100'] }, { for: '5m', connections: 3 }),
    door('all', 2203, { steps: ['udp/7200'] }, { for: '5m', scope: 'everyone' }),
  ],
}

t.jobs = 3

for (const { version, path } of versions) {
  t.test(`grants, bans and sequences, nft ${version}`, { skip, buffered: true }, async (t) => {
    const file = `${t.testdir({})}/state.json`
    const visitor = (number: number) => [host(number), host(number, 6)] as const
    {
      await using setup = await PacketSetup.open(SPEC, path)
      await setup.send(host(1), ...FIRST)
      for (const source of visitor(2)) await setup.send(source, 'udp/7100')
      for (const source of visitor(2)) await setup.send(source, 'tcp/2202', 'tcp/2202')
      await setup.send(host(3), 'udp/7200')
      // A used sequence is a wrong knock, so each source is banned.
      for (const source of visitor(4)) await setup.send(source, ...FIRST)
      await setup.knock.door('once').open('2001:db8::7', { for: '1h' })
      await saveState(file, await setup.knock.save())
    }
    const state = await loadState(file)
    t.match(state, {
      table: 'knock',
      grants: { length: 5 },
      bans: { length: 2 },
      tokens: [],
      sequences: [{ door: 'once' }],
    })
    t.strictSame(
      state?.grants.filter(({ door }) => door === 'counted').map(({ used }) => used),
      [2, 2],
    )
    await using setup = await PacketSetup.open(SPEC, path, { state })
    t.same(await setup.granted('once'), [host(1), '2001:db8::7'].sort())
    t.same(await setup.granted('all'), ['everyone'])
    t.same((await setup.bans()).sources, [...visitor(4)].sort())
    const times = await setup.knock.door('once').grants()
    const seconds = new Map(times.map(({ source, expiresIn }) => [source, expiresIn]))
    t.ok((seconds.get(host(1)) ?? 0) > 200 && (seconds.get(host(1)) ?? 0) < 300, 'time remains')
    t.ok((seconds.get('2001:db8::7') ?? 0) > 3500 && (seconds.get('2001:db8::7') ?? 0) < 3600)

    await setup.send(host(5), ...FIRST)
    await setup.send(host(5, 6), ...FIRST)
    t.equal((await setup.granted('once')).length, 2, 'a used sequence opens nothing')
    await setup.send(host(6), ...SECOND)
    t.ok((await setup.granted('once')).includes(host(6)), 'an unused sequence opens')

    t.same(await setup.granted('counted'), [...visitor(2)].sort())
    for (const source of visitor(2)) await setup.send(source, 'tcp/2202')
    t.same(await setup.granted('counted'), [], 'the third connection was the last')
    t.match(await setup.counters('counted'), { denied: 0 })
    for (const source of visitor(2)) await setup.send(source, 'tcp/2202')
    t.match(await setup.counters('counted'), { denied: 2 })
    await setup.send(host(4), ...SECOND)
    t.notOk((await setup.granted('once')).includes(host(4)), 'the ban still holds')
  })
}

for (const { version, path } of able) {
  for (const carrier of ['stun', 'dns'] as const) {
    t.test(`used tokens by ${carrier}, nft ${version}`, { skip, buffered: true }, async (t) => {
      const options = { binary: path, token: { period: 3600, carrier, port: 3478 } }
      const token = carriedToken(carrier, tokenAt(nowSeconds(), 3600))
      const life = () => TokenSetup.open(options)
      const save = async () => {
        await using setup = await life()
        await setup.send([datagram(carrier, token, 1)])
        t.match(await setup.base.counters(), { grants: 1 })
        return await setup.base.knock.save()
      }
      const state = await save()
      t.match(state.tokens, [{ token }])
      await using setup = await life()
      const { nft, base } = setup
      await base.knock.uninstall()
      await installKnock(setup.spec(), { nft, state: { ...state, grants: [] } })
      await setup.send([datagram(carrier, token, 2)], OTHERS[4])
      t.match(await base.counters(), { grants: 0, wrong: 1 }, 'a used token opens nothing')
    })
  }

  t.test(`used tokens, nft ${version}`, { skip, buffered: true }, async (t) => {
    const token = { period: 3600, horizon: '3h' }
    const now = nowSeconds()
    const used = tokenAt(now, 3600)
    const unused = tokenAt(now + 3600, 3600)
    const life = () => TokenSetup.open({ binary: path, token })
    const save = async () => {
      await using setup = await life()
      await setup.send([used])
      t.match(await setup.base.counters(), { grants: 1 })
      return await setup.base.knock.save()
    }
    const state = await save()
    t.strictSame(
      state.tokens.map(({ token }) => token),
      [used],
    )

    await using setup = await life()
    const { nft, base } = setup
    await base.knock.uninstall()
    await installKnock(setup.spec(), { nft, state: { ...state, grants: [] } })
    await setup.send([used])
    await setup.send([used], OTHERS[6])
    t.match(await base.counters(), { grants: 0, wrong: 2 }, 'a used token opens nothing')
    await setup.send([unused], OTHERS[4])
    t.match(await base.counters(), { grants: 1, wrong: 2 }, 'another token opens')

    const again = await base.knock.save()
    t.same(new Set(again.tokens.map(({ token }) => token)), new Set([used, unused]))
    await base.knock.uninstall()
    await installKnock(setup.spec(), { nft })
    const report = await base.knock.restore(again)
    t.match(report.restored, { grants: 1, tokens: 2 })
    await setup.close(OTHERS[4])
    await setup.send([used, unused], CLIENT[4])
    t.match(await base.counters(), { grants: 0, wrong: 2 }, 'used tokens are put back')
  })
}

atServer('save, restore and install --state keep grants over a reboot', skip, async (t, user) => {
  const file = `${user.folder}/state.json`
  const install = ['install', 'doors.json', '--state', 'state.json'] as const
  await user.serve(t, ...install)
  await user.serve(t, 'open', 'ssh', CLIENT[4], '--for', '10m')
  t.equal(
    await user.serve(t, 'save', 'state.json'),
    'state.json: 1 grant, 0 bans, 0 tokens, 0 sequences\n',
  )
  t.equal((await stat(file)).mode & 0o7777, 0o600)
  await user.serve(t, 'uninstall')
  await user.serve(t, ...install)
  t.match(await user.serve(t, 'status'), /10\.77\.0\.2/)
  await user.serve(t, 'close', 'ssh', CLIENT[4])
  await user.serve(t, ...install)
  t.notMatch(await user.serve(t, 'status'), /10\.77\.0\.2/, 'no old grant comes back')
  const restored = JSON.parse(await user.serve(t, 'restore', 'state.json', '--json'))
  t.match(restored, { table: 'knock', restored: { grants: 1 }, unknownDoors: [] })
  t.match(await user.serve(t, 'status'), /10\.77\.0\.2/)
  t.equal(
    await user.serve(t, 'restore', 'state.json'),
    'table inet knock: 0 grants, 0 bans, 0 tokens, 0 sequences restored\nleft out: 1 present\n',
  )
})

atServer('an invalid state restores nothing', skip, async (t, user) => {
  await user.serve(t, 'install', 'doors.json')
  await user.serve(t, 'save', 'state.json')
  const good = await readFile(`${user.folder}/state.json`, 'utf8')
  await user.serve(t, 'uninstall')
  const once = { type: 'sequence', oneTime: [['tcp/7000', 'tcp/7001']], stepTimeout: '5s' }
  await user.write('once.json', JSON.stringify(doorOf([], { knock: once })))
  const wrong: Record<string, [string, RegExp]> = {
    'an incomplete file': [good.slice(0, -10), /wrong\.json: \/: expected JSON/],
    'a file of zeros': ['\0'.repeat(100), /expected JSON/],
    empty: ['', /expected JSON/],
    'a state of another version': [good.replace('1', '2'), /\/version: expected 1/],
    'a state with a name for an address': [
      good.replace('"grants": [', '"grants": [{"door":"ssh","source":"host","until":"soon"}'),
      new RegExp(
        '/grants/0/source: expected an IPv4 or IPv6 address.*\n' +
          '  /grants/0/until: expected a time',
      ),
    ],
    'a state of another table': [
      good.replace('"knock"', '"knock2"'),
      new RegExp(
        '/table: expected "knock", the table into which the state is put, got "knock2"; ' +
          'use a state of "knock", or',
      ),
    ],
    'a spec': ['{"doors":[]}', /\/doors: expected no such key/],
  }
  for (const [what, [text, words]] of Object.entries(wrong)) {
    await user.write('wrong.json', text)
    const refused = await user.try(['install', 'once.json', '--state', 'wrong.json'])
    t.equal(refused.code, 2, what)
    t.match(refused.stderr, words, what)
    t.match(refused.stderr, /nothing was installed or changed: /, what)
    t.equal((await user.shell('$NFT list ruleset')).stdout, '', 'nothing was installed')
    const { code, stderr } = await user.try(['install', 'doors.json', '--state', 'wrong.json'])
    t.equal(code, 0, `${what}: a spec without one-time knocks is installed`)
    t.match(stderr, /^knocklib install: grants and bans of before are not put back: /)
    t.match(stderr, words)
    const json = await user.try(['install', 'doors.json', '--state', 'wrong.json', '--json'])
    t.match(JSON.parse(json.stdout), { table: 'knock', state: { error: words } })
    await user.serve(t, 'uninstall')
  }
  await user.serve(t, 'install', 'doors.json')
  const before = (await user.shell('$NFT list ruleset')).stdout
  const { code, stdout } = await user.try(['restore', 'wrong.json', '--json'])
  t.equal(code, 2)
  t.match(JSON.parse(stdout), { error: { code: 'invalid-state', problems: [{}] } })
  const open = await user.shell('chmod 666 state.json; $KNOCKLIB restore state.json')
  t.match(open, { code: 2, stderr: /its owner alone can write \(chmod 600\), got mode 666/ })
  const none = await user.try(['restore', 'nosuch.json'])
  t.match([none.code, none.stderr], [2, /nosuch\.json: no such file/])
  t.equal((await user.shell('$NFT list ruleset')).stdout, before)
})

t.test('a full set takes as much as it has room for', { skip }, async (t) => {
  const spec = (capacity: number) => ({ ...doorOf(['udp/7000']), guard: { capacity } })
  await using first = await PacketSetup.open(spec(100), NFT)
  for (let number = 1; number <= 50; number += 1) await first.send(host(number), 'udp/7000')
  const state = await first.knock.save()
  t.equal(state.grants.length, 50)
  await using setup = await PacketSetup.open(spec(10), NFT, { state })
  t.equal((await setup.granted()).length, 10)
})
