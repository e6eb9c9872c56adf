// Tables with secrets, installed and refilled in a fake nft: what is loaded, what stays, what is
// refused.
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { checkKnock, findWarnings, installKnock, type KnockSpec, refillKnock } from '../index.js'
import { FakeNft } from '../kernel/fake.js'

const folder = await mkdtemp(join(tmpdir(), 'knocklib-test-'))
t.teardown(() => rm(folder, { recursive: true }))
const secretFile = join(folder, 'key')
const write = async (secret: string) => {
  await writeFile(secretFile, secret)
  await chmod(secretFile, 0o600)
}

const rotating = (parts: object = {}): KnockSpec => ({
  doors: [
    {
      name: 'ssh',
      service: 'tcp/22',
      knock: {
        type: 'sequence',
        rotate: {
          secretFile,
          every: '10m',
          steps: 2,
          ports: '20000-60000',
          horizon: '1h',
          ...parts,
        },
      },
      open: { for: 30 },
    },
  ],
})

/** The ports of the first step, by listing. */
async function portsOf(nft: FakeNft): Promise<number[]> {
  const { nftables } = (await nft.list({ table: 'knock', set: 'ports1_ssh_0' })) as {
    nftables: { set?: { elem?: { elem: { val: { concat: [number, number, unknown] } } }[] } }[]
  }
  return nftables.flatMap(({ set }) => (set?.elem ?? []).map(({ elem }) => elem.val.concat[1]))
}

t.test('ports are loaded ahead, and a refill adds to them', async (t) => {
  await write('the secret of this test')
  const nft = new FakeNft()
  const knock = await installKnock(rotating(), { nft })
  const first = await portsOf(nft)
  t.equal(first.length, 7, 'the ports of this period and of the next hour are loaded')
  await knock.door('ssh').open('192.0.2.1')
  await refillKnock(rotating(), { nft })
  t.strictSame(await portsOf(nft), first)
  await installKnock(rotating(), { nft })
  t.equal((await knock.door('ssh').grants()).length, 1, 'an install of the same spec keeps grants')
})

t.test('an install keeps grants after the clock was changed', async (t) => {
  await write('the secret of this test')
  // The kernel's clock, by which elements expire, stands still meanwhile.
  const nft = new FakeNft({ now: () => 0 })
  const at = async (seconds: number, run: () => Promise<unknown>) => {
    t.intercept(Date, 'now', { value: () => seconds * 1000, configurable: true })
    await run()
  }
  const knock = await installKnock(rotating(), { nft })
  await knock.door('ssh').open('192.0.2.1')
  const start = Date.now() / 1000
  for (const step of [700, -700, 5000]) {
    await at(start + step, () => refillKnock(rotating(), { nft }))
    await at(start + step, () => installKnock(rotating(), { nft }))
    t.equal((await knock.door('ssh').grants()).length, 1, `${step} s`)
  }
})

t.test('another secret or another period makes the table anew', async (t) => {
  const nft = new FakeNft()
  await write('the secret of this test')
  await installKnock(rotating(), { nft })
  const first = await portsOf(nft)
  await write('quite another secret')
  await t.rejects(refillKnock(rotating(), { nft }), { code: 'not-found', message: /other secrets/ })
  t.strictSame(await portsOf(nft), first, 'a refused refill changes nothing')
  await installKnock(rotating(), { nft })
  const second = await portsOf(nft)
  t.notOk(second.some((port) => first.includes(port)))
  await write('the secret of this test')
  const longer = rotating({ every: '11m' })
  await t.rejects(refillKnock(longer, { nft }), { code: 'not-found', message: /another spec/ })
  await installKnock(longer, { nft })
  t.notOk((await portsOf(nft)).some((port) => second.includes(port)))
})

t.test('an invalid secret is refused before anything changes', async (t) => {
  const nft = new FakeNft()
  const refused = (reason: RegExp) =>
    t.rejects(installKnock(rotating(), { nft }), { code: 'invalid-argument', message: reason })
  await write('short')
  await refused(/at least 16 bytes, got 5/)
  await write('the secret of this test')
  await chmod(secretFile, 0o640)
  await refused(/chmod 600.*mode 640/)
  await rm(secretFile)
  await refused(/cannot be read/)
  await t.rejects(nft.list({ table: 'knock' }), { code: 'not-found' })
})

t.test('an nft too old for a rotation is refused', async (t) => {
  await write('the secret of this test')
  const nft = new FakeNft({ version: '1.0.6' })
  await t.rejects(installKnock(rotating(), { nft }), { code: 'missing-capability' })
  await t.rejects(nft.list({ table: 'knock' }), { code: 'not-found' })
})

t.test('checkKnock asks nft and changes nothing', async (t) => {
  const nft = new FakeNft()
  const spec: KnockSpec = {
    doors: [
      {
        name: 'ssh',
        service: 'tcp/22',
        knock: { type: 'sequence', steps: ['udp/7000'] },
        open: { for: '30s' },
      },
    ],
  }
  t.same(await checkKnock(spec, { nft }), { warnings: [] })
  t.same(await findWarnings(spec, { nft }), [])
  await t.rejects(nft.list({ table: 'knock' }), { code: 'not-found' })
  const own = { id: 'own', message: 'of the caller' }
  const strict = { nft, strict: true, warnings: [own] }
  await t.rejects(checkKnock(spec, strict), { code: 'warned', warnings: [own] })
  await t.rejects(findWarnings(spec, strict), { code: 'warned' })
  await t.rejects(checkKnock(spec, { nft: new FakeNft({ version: '1.0.5' }) }), {
    code: 'nft-too-old',
  })
})
