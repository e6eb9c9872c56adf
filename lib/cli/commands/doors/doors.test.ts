// open, close and unban on nft's fake: what they change, print and end with.
import t from 'tap'
import { runCommand } from '../../../../integration/fakes/command-line.js'
import { attachKnock, installKnock, validateSpec } from '../../../index.js'
import { FakeNft } from '../../../kernel/fake.js'

const knock = { type: 'sequence', steps: ['tcp/7000', 'tcp/7001', 'tcp/7002'] }
const GUARD = { ban: { after: 2, within: '1m', for: '10m' } }

async function installed(open: object = {}, options: object = {}): Promise<FakeNft> {
  const nft = new FakeNft({ now: () => 0 })
  const doors = [{ name: 'ssh', service: 'tcp/22', knock, open: { for: '10m', ...open } }]
  await installKnock(validateSpec({ doors, guard: GUARD }), { nft, ...options })
  return nft
}

const grantsOf = async (nft: FakeNft): Promise<readonly unknown[]> =>
  (await (await attachKnock({ nft })).status()).doors.flatMap(({ grants }) =>
    grants.map(({ source, expiresIn }) => [source, expiresIn]),
  )

t.test('open lets a source in for as long as the door says, or as asked', async (t) => {
  const nft = await installed()
  t.strictSame(await runCommand(['open', 'ssh', '203.0.113.7'], { nft }), {
    code: 0,
    stdout: 'ssh: 203.0.113.7 is let in for 600 s\n',
    stderr: '',
  })
  const json = await runCommand(['open', 'ssh', '2001:db8::7', '--for', '90', '--json'], { nft })
  t.equal(json.code, 0)
  t.match(JSON.parse(json.stdout), { door: 'ssh', source: '2001:db8::7', expiresIn: 90 })
  t.strictSame(await grantsOf(nft), [
    ['203.0.113.7', 600],
    ['2001:db8::7', 90],
  ])
})

t.test('open names the wrong option, and the existing doors', async (t) => {
  const nft = await installed()
  const wrong = await runCommand(['open', 'ssh', '203.0.113.7', '--for', 'long'], { nft })
  t.match(wrong, { code: 2, stdout: '', stderr: /^knocklib open: .*--for: expected a duration/ })
  t.match(await runCommand(['open', 'web', '203.0.113.7'], { nft }), { code: 4, stderr: /ssh/ })
  t.match(await runCommand(['open', 'ssh', 'nobody'], { nft }), { code: 2, stdout: '' })
  t.strictSame(await grantsOf(nft), [])
})

t.test('open reports that an unconfirmed table lets everyone in', async (t) => {
  let now = 0
  const nft = new FakeNft({ now: () => now })
  const doors = [{ name: 'ssh', service: 'tcp/22', knock, open: { for: '10m' } }]
  await installKnock(validateSpec({ doors }), { nft, confirmWithin: '30s' })
  const before = await runCommand(['open', 'ssh', '203.0.113.7'], { nft })
  t.notMatch(before.stdout, 'everyone')
  now = 31_000
  const { stdout } = await runCommand(['open', 'ssh', '203.0.113.7'], { nft })
  t.match(stdout, /let in for \d+ s\nand so is everyone: .* fell open; install the spec again\n$/)
})

t.test('close removes a grant, and ends with 4 if there is none', async (t) => {
  const nft = await installed()
  await runCommand(['open', 'ssh', '2001:db8::7'], { nft })
  const closed = await runCommand(['close', 'ssh', '2001:DB8:0::7', '--json'], { nft })
  t.equal(closed.code, 0)
  t.strictSame(JSON.parse(closed.stdout), { door: 'ssh', source: '2001:db8::7', closed: true })
  t.strictSame(await grantsOf(nft), [])
  t.strictSame(await runCommand(['close', 'ssh', '2001:db8::7'], { nft }), {
    code: 4,
    stdout: 'ssh: 2001:db8::7 had no grant\n',
    stderr: '',
  })
  await runCommand(['open', 'ssh', '203.0.113.7'], { nft })
  const { stdout } = await runCommand(['close', 'ssh', '203.0.113.7'], { nft })
  t.equal(stdout, 'ssh: 203.0.113.7 is let in no longer\n')
})

t.test('close --cut is refused if the door does not cut connections', async (t) => {
  const nft = await installed()
  await runCommand(['open', 'ssh', '203.0.113.7'], { nft })
  const argv = ['close', 'ssh', '203.0.113.7', '--cut']
  t.match(await runCommand(argv, { nft }), { code: 3, stdout: '', stderr: /open\.established/ })
  t.equal((await grantsOf(nft)).length, 1)
  const cutting = await installed({ established: 'cut' })
  await runCommand(['open', 'ssh', '203.0.113.7'], { nft: cutting })
  t.match(await runCommand(argv, { nft: cutting }), { code: 0 })
})

t.test('close --all takes every grant away, and is done if there is none', async (t) => {
  const nft = await installed()
  await runCommand(['open', 'ssh', '203.0.113.7'], { nft })
  await runCommand(['open', 'ssh', '2001:db8::7'], { nft })
  const lines = 'ssh: 203.0.113.7 is let in no longer\nssh: 2001:db8::7 is let in no longer\n'
  t.strictSame(await runCommand(['close', '--all'], { nft }), {
    code: 0,
    stdout: lines,
    stderr: '',
  })
  t.strictSame(await grantsOf(nft), [])
  t.match(await runCommand(['close', '--all'], { nft }), {
    code: 0,
    stdout: 'nobody had a grant\n',
  })
  await runCommand(['open', 'ssh', '203.0.113.7'], { nft })
  t.match(await runCommand(['close', '--all', '--cut'], { nft }), { code: 3, stdout: '' })
  const { stdout } = await runCommand(['close', '--all', '--json'], { nft })
  t.strictSame(JSON.parse(stdout), { closed: [{ door: 'ssh', source: '203.0.113.7' }] })
  t.match(await runCommand(['close', '--all', '--table', 'other'], { nft }), { code: 4 })
})

t.test('close needs a door and a source, or --all', async (t) => {
  const nft = await installed()
  for (const argv of [['close'], ['close', 'ssh'], ['close', 'ssh', '203.0.113.7', '--all']]) {
    const expected = /^knocklib close: expected a door and a source, or --all, got /
    t.match(await runCommand(argv, { nft }), { code: 2, stdout: '', stderr: expected })
  }
})

t.test('unban ends a ban, and ends with 4 if there is none', async (t) => {
  const nft = await installed()
  const family = 'inet' as const
  const elem = ['203.0.113.7']
  await nft.apply({
    nftables: [{ add: { element: { family, table: 'knock', name: 'banned_4', elem } } }],
  })
  t.equal((await (await attachKnock({ nft })).bans()).length, 1)
  t.strictSame(await runCommand(['unban', '203.0.113.7'], { nft }), {
    code: 0,
    stdout: '203.0.113.7 is banned no longer\n',
    stderr: '',
  })
  const again = await runCommand(['unban', '203.0.113.7', '--json'], { nft })
  t.equal(again.code, 4)
  t.strictSame(JSON.parse(again.stdout), { source: '203.0.113.7', unbanned: false })
})

t.test('each command uses the table of --table', async (t) => {
  const nft = await installed()
  for (const argv of [
    ['open', 'ssh', '203.0.113.7'],
    ['close', 'ssh', '203.0.113.7'],
    ['unban', '203.0.113.7'],
  ]) {
    const { code, stderr } = await runCommand([...argv, '--table', 'other'], { nft })
    t.equal(code, 4, argv.join(' '))
    t.match(stderr, /^knocklib \w+: table inet other: /)
  }
})
