// One-time sequences in the kernel: each works once, for the first source, and stays used under a
// new spec.
import t from 'tap'
import { missing } from '../machine/capabilities.js'
import { NFT, sweep } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'
import { host, PacketSetup } from '../setups/packet-setup.js'
import { doorOf } from '../setups/service-setup.js'

const { versions, skip: lacks } = await versionsOrSkip()
const skip = lacks || missing()
if (!skip) sweep()
const binaries = skip ? [NFT] : [versions[0], versions.at(-1)].map((one) => one?.path ?? NFT)

const LISTS = [
  ['udp/7000', 'udp/7001', 'tcp/7002'],
  ['udp/7000', 'tcp/7002', 'udp/7003'],
  ['tcp/7004', 'icmp', 'udp/7001'],
]
const ALONE = ['udp/7100']

const specOf = (
  oneTime: readonly unknown[],
  open: object = { for: '60s' },
  parts: object = {},
) => ({
  ...doorOf([], { knock: { type: 'sequence', oneTime, stepTimeout: '20s', reset: 'never' }, open }),
  ...parts,
})

t.jobs = 2

for (const binary of binaries) {
  t.test(`each sequence opens once, ${binary}`, { skip, buffered: true }, async (t) => {
    await using setup = await PacketSetup.open(specOf([...LISTS, ALONE]), binary)
    let visitor = 0
    /** Sends a sequence from a new source. Resolves with true if that source gets a grant. */
    const opens = async (steps: readonly string[], family: 4 | 6): Promise<boolean> => {
      visitor += 1
      const source = host(visitor, family)
      await setup.send(source, ...steps)
      return (await setup.granted()).includes(source)
    }
    const [first = [], second = [], third = []] = LISTS
    t.equal(await opens(first, 4), true)
    t.equal(await opens(first, 4), false, 'a used sequence opens nothing over IPv4')
    t.equal(await opens(first, 6), false, 'a used sequence opens nothing over IPv6')
    t.equal(await opens(second, 6), true, 'the next sequence opens over IPv6')
    t.equal(await opens(second, 6), false)
    t.equal(await opens(second, 4), false)
    t.equal(await opens(ALONE, 6), true, 'a sequence of one step opens over IPv6')
    t.equal(await opens(ALONE, 6), false)
    t.equal(await opens(ALONE, 4), false)
    t.match(
      await setup.counters(),
      { grants: 3, resets: 6 },
      'a used sequence counts as a wrong knock',
    )

    const same = specOf([...LISTS, ALONE])
    const changes: Record<string, object> = {
      'installed again': same,
      'in another order': specOf([ALONE, ...LISTS.toReversed()]),
      'with another time of opening': specOf([ALONE, ...LISTS], { for: '50s' }),
      'with another one before them': specOf([['udp/7200'], ...LISTS, ALONE]),
      'with another capacity': specOf([...LISTS, ALONE], undefined, { guard: { capacity: 100 } }),
      'with a ban': specOf([...LISTS, ALONE], undefined, {
        guard: { ban: { after: 32, within: 60, for: 60 } },
      }),
    }
    for (const [what, spec] of Object.entries(changes)) {
      await setup.install(spec)
      const results = [await opens(first, 4), await opens(second, 4), await opens(ALONE, 6)]
      t.same(results, [false, false, false], what)
    }
    t.equal(await opens(third, 4), true, 'the unused sequence still works')
    t.equal(await opens(third, 6), false)
  })
}

t.test('one of two sources completes a sequence', { skip, buffered: true }, async (t) => {
  const [binary = NFT] = binaries
  await using setup = await PacketSetup.open(specOf(LISTS), binary)
  const [steps = []] = LISTS
  const [last = ''] = steps.slice(-1)
  for (const source of [host(1), host(2)]) await setup.send(source, ...steps.slice(0, -1))
  await setup.send(host(2), last)
  await setup.send(host(1), last)
  t.same(await setup.granted(), [host(2)], 'the source that completed the sequence has the grant')
  t.match(await setup.counters(), { grants: 1, resets: 1 })
})

t.test('sixty sequences, each sent by two sources', { skip, buffered: true }, async (t) => {
  const [binary = NFT] = binaries
  const lists = Array.from({ length: 60 }, (_, i) => ['udp/7000', `udp/${7100 + i}`])
  await using setup = await PacketSetup.open(specOf(lists), binary)
  for (const [index, steps] of lists.entries()) {
    const [begin = '', end = ''] = steps
    await setup.send(host(index + 1), begin)
    await setup.send(host(index + 1, 6), begin, end)
    await setup.send(host(index + 1), end)
  }
  t.match(await setup.counters(), { grants: 60, resets: 60 })
  t.ok(
    (await setup.granted()).every((source) => source.includes(':')),
    'the sources over IPv6 were first',
  )
})
