// The built command at a server: check, render, install, status, open, close, uninstall.
import t, { type Test } from 'tap'
import { build } from '../machine/built.js'
import { missing } from '../machine/capabilities.js'
import { CLIENT, SERVER, sweep } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'
import { atServer, STEPS, type User } from '../setups/user.js'

const { versions, skip: lacks } = await versionsOrSkip()
const skip = lacks || missing('bash', 'ping')
if (!skip) {
  sweep()
  build()
}

t.jobs = 2

const READY = 'table inet knock stands\n  ssh: tcp/22\n  web: tcp/80, tcp/443, udp/5000-5010\n'

/** Returns a base chain that drops what no rule accepts. */
const chain = (family: string, hook: string) =>
  `$NFT add table ${family} own
   $NFT "add chain ${family} own c { type filter hook ${hook} priority 5; policy drop; }"`
/** Returns the note that nothing else keeps the services closed. */
const OPEN = (whose = '') =>
  `no other table has a base chain with policy drop where these packets end${whose}. ` +
  'While this table is gone (after a flush, or before it stands at boot), the ' +
  'services are open, unless rules elsewhere drop the packets. ' +
  'A firewall that accepts only what bears the mark of a grant (open.mark) keeps them closed'

atServer('check reports a valid spec, and changes nothing', skip, async (t, user) => {
  const note = `/doors: ${OPEN()}\n`
  t.equal(await user.serve(t, 'check', 'doors.json'), `doors.json: valid; nft takes it\n${note}`)
  t.equal(await user.serve(t, 'check', 'doors.yaml'), `doors.yaml: valid; nft takes it\n${note}`)
  const checked = JSON.parse(await user.serve(t, 'check', 'doors.yaml', '--json'))
  const notes = [{ path: '/doors', message: OPEN() }]
  t.same(checked, { valid: true, nft: 'accepted', notes, warnings: [] })
  t.equal((await user.shell('$NFT list ruleset')).stdout, '', 'nothing was changed')
})

for (const { version, path } of versions) {
  const name = `what else keeps the services closed, nft ${version}`
  const run = async (t: Test, user: User) => {
    const notes = async (command: string) =>
      JSON.parse(await user.serve(t, command, 'doors.json', '--json')).notes
    const open = (whose?: string) => [{ path: '/doors', message: OPEN(whose) }]
    const changed = async () =>
      JSON.parse(await user.serve(t, 'install', 'doors.json', '--json')).changed
    t.same([await changed(), await changed()], [true, false])
    t.same(await notes('install'), open(), 'a note says that only our own table closes the port')
    await user.shell(chain('ip', 'input'))
    t.same(await notes('check'), open(' for IPv6'))
    await user.shell(chain('ip6', 'forward'))
    t.same(await notes('check'), open(' for IPv6'), 'a chain at another hook is considered')
    await user.shell(chain('inet', 'input'))
    t.same(await notes('check'), [])
    t.same(await notes('install'), [])
    const plain = 'table inet knock stands\n  ssh: tcp/22\n'
    t.equal(await user.serve(t, 'install', 'doors.json'), plain)
    const strict = await user.serve(t, 'check', 'doors.json', '--strict')
    t.equal(strict, 'doors.json: valid; nft takes it\n', 'a note does not count as a warning')
  }
  atServer(name, skip, run, path)
}

atServer('render prints JSON or text of the same table', skip, async (t, user) => {
  const script = (format: string, flags: string) =>
    `set -eo pipefail
     $KNOCKLIB render doors.yaml --format ${format} > ruleset
     $NFT ${flags} -f ruleset
     $NFT -s list table inet knock; $NFT delete table inet knock`
  const text = await user.shell(script('nft', ''))
  const json = await user.shell(script('json', '-j'))
  t.same([text.code, text.stderr, json.code, json.stderr], [0, '', 0, ''])
  t.match(text.stdout, /^table inet knock \{/)
  const lines = (listing: string) => listing.split('\n').sort()
  t.same(lines(text.stdout), lines(json.stdout))
  const first = await user.shell('set -o pipefail; $KNOCKLIB render doors.yaml | head -1')
  t.same(first, { code: 0, stdout: '{\n', stderr: '' }, 'a reader that ends early causes no error')
  const piped = await user.shell('$KNOCKLIB render doors.json | $NFT -j -f /dev/stdin')
  t.same(piped, { code: 0, stdout: '', stderr: '' }, 'the example of --help works')
  const named = await user.serve(t, 'render', 'doors.json', '--table', 'other')
  t.notMatch(named, '"knock"')
})

atServer('install, status, open, close and uninstall work in turn', skip, async (t, user) => {
  const ready = `${READY}note: ${OPEN()}\n`
  t.equal(await user.serve(t, 'install', 'doors.yaml'), ready)
  await user.serve(t, 'open', 'ssh', '203.0.113.7', '--for', '10m')
  t.equal(await user.serve(t, 'install', 'doors.yaml'), ready, 'a second install changes nothing')
  t.match(await user.serve(t, 'status'), /203\.0\.113\.7 {2}let in {2}(600|59\d) s left/)
  const plain = await user.serve(t, 'open', 'ssh', '203.0.113.7', '--for', '90')
  t.equal(plain, 'ssh: 203.0.113.7 is let in for 90 s\n', 'a number without a unit is seconds')
  const pending = await user.serve(t, 'install', 'doors.yaml', '--confirm', '60')
  t.equal(
    pending,
    `${ready}unless confirmed within 60 s the doors fall open: knocklib confirm --table knock\n`,
  )
  t.match(await user.serve(t, 'status'), /\b(60|5\d) s\b/, 'almost all of the 60 s are left')
  await user.serve(t, 'confirm')
  const mapped = await user.serve(t, 'open', 'web', '2001:DB8:0::7', '--json')
  t.same(JSON.parse(mapped), { door: 'web', source: '2001:db8::7', expiresIn: 120 })
  const opened = await user.serve(t, 'open', 'web', '203.0.113.8')
  t.equal(opened, 'web: 203.0.113.8 is let in for 120 s\n')
  const closed = await user.serve(t, 'close', 'web', '203.0.113.8')
  t.equal(closed, 'web: 203.0.113.8 is let in no longer\n')
  const closedJson = JSON.parse(await user.serve(t, 'close', 'web', '2001:DB8:0::7', '--json'))
  t.same(closedJson, { door: 'web', source: '2001:db8::7', closed: true })
  await user.serve(t, 'install', 'doors.json', '--table', 'second')
  t.match(await user.serve(t, 'status', '--table', 'second'), /^table inet second\n/)
  t.equal(await user.serve(t, 'uninstall', '--table', 'second'), 'table inet second is gone\n')
  const removed = JSON.parse(await user.serve(t, 'uninstall', '--json'))
  t.same(removed, { table: 'knock', removed: true })
  t.equal((await user.shell('$NFT list ruleset')).stdout, '')
})

const sorted = (value: object): string[] => Object.keys(value).sort()

atServer('status prints stable JSON keys, and the same as text', skip, async (t, user) => {
  await user.serve(t, 'install', 'doors.yaml')
  const listStatus = async () => JSON.parse(await user.serve(t, 'status', '--json'))
  const none = { knocks: 0, grants: 0, closes: 0, resets: 0, wrong: 0, denied: 0 }
  const web = {
    name: 'web',
    service: ['tcp/80', 'tcp/443', 'udp/5000-5010'],
    openFor: 120,
    grants: [],
    progress: [],
    counters: none,
  }
  t.same(await listStatus(), {
    table: 'knock',
    doors: [{ ...web, name: 'ssh', service: ['tcp/22'], openFor: 60 }, web],
    bans: [],
    counters: { bans: 0, ignored: 0, repeated: 0, unlogged: 0 },
    fill: [],
  })
  const sent = await user.call(t, 'knock', SERVER[4], ...STEPS.slice(0, 2))
  t.equal(sent, `${SERVER[4]}: 2 packets sent; a door gives no answer\n`)
  await user.call(t, 'knock', SERVER[6], ...STEPS)
  const { doors } = await listStatus()
  const [ssh] = doors
  t.same(doors[1], web)
  t.same(sorted(ssh), ['counters', 'grants', 'name', 'openFor', 'progress', 'service'])
  t.same(ssh.counters, { ...none, knocks: 6, grants: 1 })
  const [[grant], [progress]] = [ssh.grants, ssh.progress]
  t.same(sorted(grant), ['expiresIn', 'source'])
  t.equal(grant.source, CLIENT[6])
  t.ok(Number.isInteger(grant.expiresIn) && grant.expiresIn > 30 && grant.expiresIn < 60)
  t.same(sorted(progress), ['expiresIn', 'of', 'source', 'stage'])
  t.match(progress, { source: CLIENT[4], stage: 2, of: 4 })
  const text = await user.serve(t, 'status')
  t.match(text, /\nssh {2}tcp\/22\n {2}knocks 6, grants 1, resets 0, denied 0, wrong 0\n/)
  t.match(text, /\n {2}fd00:77::2 +let in +\d+ s left\n {2}10\.77\.0\.2 +knock 2 of 4 +\d+ s for/)
  t.match(text, /\nweb .*\n.*\n {2}nobody is let in or on the way\n\nthe fullest sets\n/)
})
