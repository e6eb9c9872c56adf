// Until when sets are loaded ahead: written beside them, read back, and shown in a status.
import t from 'tap'
import { buildAutomaton } from '../automaton/build.js'
import { FakeNft } from '../kernel/fake.js'
import { validateSpec } from '../spec/validate.js'
import { checkStatus } from '../view/check-status.js'
import { listedContents, mostOfStatus } from '../view/contents.js'
import { viewStatus } from '../view/status.js'
import { parseListing } from './listing.js'
import { LOADED_SET, loadedIn } from './loaded.js'
import { missingOf, renderLoads } from './render/loads.js'
import { renderRuleset } from './render/render.js'

const NOW = 1_800_000_000.4
const WEEK = 604_800

const automaton = buildAutomaton(
  validateSpec({
    doors: [
      {
        name: 'ssh',
        service: 'tcp/22',
        knock: {
          type: 'token',
          port: 'udp/6000',
          period: '1h',
          users: ['ann', 'bob'].map((name) => ({ name, secretFile: `/etc/knock/${name}` })),
        },
        open: { for: '30s' },
      },
      {
        name: 'tokens1',
        service: 'tcp/23',
        knock: {
          type: 'sequence',
          rotate: {
            secretFile: '/etc/knock/r',
            every: '1h',
            steps: 2,
            ports: '20000-60000',
            protocol: 'tcp',
          },
        },
        open: { for: '30s' },
      },
    ],
  }),
)

const token = (seconds: number) => ({ token: '00ff', until: NOW + seconds })
/** The load of one user's set, with tokens that are taken for so many seconds. */
const load = (set: string, ...seconds: number[]) => {
  return { set, tokens: seconds.map(token), until: NOW + Math.max(0, ...seconds) }
}
const periods = (seconds: number) => [
  { protocol: 'tcp' as const, port: 20_000, from: NOW, to: NOW + seconds },
]

/** A table that is loaded so far ahead: by user, and by step of the rotation. */
async function tableOf(ann: number, bob: number, first: number, second: number) {
  const clock = { now: NOW * 1000 }
  const nft = new FakeNft({ now: () => clock.now, version: '1.1.3' })
  const loads = {
    tokens: [load('tokens1_ssh', 60, ann, 30), load('tokens2_ssh', bob)],
    ports: [
      { set: 'ports1_tokens1', periods: periods(first) },
      { set: 'ports2_tokens1', periods: periods(second) },
    ],
  }
  const { nftables } = renderRuleset(automaton)
  await nft.apply({ nftables: [...nftables, ...renderLoads('knock', loads, NOW)] })
  const listing = async () => parseListing(await nft.list({ table: 'knock' }))
  const status = async () => viewStatus('knock', automaton.doors, listedContents(await listing()))
  return { nft, clock, loads, listing, status }
}

t.test('the loaded time is that of each user, or of the shortest step of a rotation', async (t) => {
  const { status, clock } = await tableOf(WEEK, 0.5, 7200, 3600)
  const [ssh, other] = (await status()).doors
  t.same(ssh?.tokens, [
    { user: 'ann', expiresIn: WEEK, loadedFor: WEEK },
    { user: 'bob', expiresIn: 0 },
  ])
  t.notOk(ssh?.rotations)
  t.same(other?.rotations, [{ knock: 'open', expiresIn: 3600, loadedFor: 3600 }])
  t.notOk(other?.tokens)
  clock.now += 3_000_000
  const [, later] = (await status()).doors
  t.same(later?.rotations, [{ knock: 'open', expiresIn: 600, loadedFor: 3600 }])
})

t.test('a load of some sets leaves the others, and an empty set has 0 seconds', async (t) => {
  const { nft, clock, loads, listing, status } = await tableOf(WEEK, WEEK, WEEK, WEEK)
  clock.now += 1_000_000
  await nft.apply({
    nftables: renderLoads(
      'knock',
      { tokens: [load('tokens2_ssh', WEEK + 1000)], ports: [] },
      NOW + 1000,
    ),
  })
  const left = async () => (await status()).doors[0]?.tokens?.map(({ expiresIn }) => expiresIn)
  t.same(await left(), [WEEK - 1000, WEEK])
  await nft.apply({
    nftables: renderLoads('knock', { tokens: [load('tokens1_ssh')], ports: [] }, NOW),
  })
  t.same(await left(), [0, WEEK])
  t.same(
    missingOf(loads, await listing(), NOW).tokens.map(({ set }) => set),
    ['tokens1_ssh'],
  )
  await nft.apply({ nftables: renderLoads('knock', { tokens: loads.tokens, ports: [] }, NOW) })
  t.same(await left(), [WEEK, WEEK], 'the same keys give the same time again')
})

t.test('a set to which no token belongs now says until when that is known', async (t) => {
  const { nft, listing, status } = await tableOf(WEEK, WEEK, WEEK, WEEK)
  const none = { tokens: [{ ...load('tokens1_ssh'), until: NOW + 500 }], ports: [] }
  const apply = async () => nft.apply({ nftables: renderLoads('knock', none, NOW) })
  const missing = async () => missingOf(none, await listing(), NOW).tokens.length
  t.equal(await missing(), 0, 'the set is not empty yet')
  await nft.apply({
    nftables: renderLoads('knock', { ...none, tokens: [load('tokens1_ssh')] }, NOW),
  })
  t.equal(await missing(), 1)
  await apply()
  t.equal(await missing(), 0)
  t.match((await status()).doors[0]?.tokens, [{ user: 'ann', expiresIn: 500, loadedFor: 500 }])
  t.equal(
    missingOf(none, await listing(), NOW + 500).tokens.length,
    0,
    'the user has come to an end',
  )
})

t.test('a new table that is not loaded yet has 0 seconds', async (t) => {
  const nft = new FakeNft({ version: '1.1.3' })
  await nft.apply(renderRuleset(automaton))
  const contents = listedContents(parseListing(await nft.list({ table: 'knock' })))
  const status = viewStatus('knock', automaton.doors, contents)
  t.same(
    checkStatus(status).map(({ id }) => id),
    ['tokens-ended', 'tokens-ended', 'rotation-ended'],
  )
})

t.test('a table of an older knocklib and elements added by hand have no loaded time', async (t) => {
  t.equal(loadedIn(parseListing({ nftables: [] })), undefined)
  const elem = ['tokens1_ssh', 'grants_ssh', 'tokens1_ssh\nall is well', ''].map((comment, val) => {
    return { elem: { val, timeout: 9, expires: 5, comment } }
  })
  const found = loadedIn(parseListing({ nftables: [{ set: { name: LOADED_SET, elem } }] }))
  t.same([...(found ?? [])], [['tokens1_ssh', { expiresIn: 5, loadedFor: 9 }]])
  const old = { sets: new Map(), counters: new Map() }
  t.notOk(viewStatus('knock', automaton.doors, listedContents(old)).doors[0]?.tokens)
})

t.test('the set of loaded times is made only if something is loaded', async (t) => {
  t.equal(mostOfStatus(LOADED_SET), Number.POSITIVE_INFINITY)
  const plain = validateSpec({
    doors: [
      {
        name: 'ssh',
        service: 'tcp/22',
        knock: { type: 'sequence', steps: ['tcp/7000'] },
        open: { for: '30s' },
      },
    ],
  })
  const text = JSON.stringify(renderRuleset(buildAutomaton(plain)))
  t.notMatch(text, `"${LOADED_SET}"`)
})
