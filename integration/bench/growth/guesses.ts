// A flood of wrong tokens → how many one core drops a second at each hook, how often a client with
// the right token gets in meanwhile, and how this and the loading change with the
// tokens loaded and with their users.
//
//   npm run bench -- guesses [--quick]
//
// A wrong token is a datagram of 16 random bytes. One core sends them as fast as it can. On a veth
// pair the receive path runs there, too. What it costs without the generator is the difference to
// a run that drops everything at ingress.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { attachKnock, createNft, installKnock, type KnockSpec } from 'knocklib'
import {
  apply,
  CABLE,
  CLIENT,
  exec,
  NFT,
  type Pair,
  SERVER,
  sweep,
} from '../../machine/namespaces.js'
import { nftVersions } from '../../machine/nft-versions.js'
import { SECRET, tokenAt } from '../../setups/token-setup.js'
import { floodOnce } from '../../wire/generator.js'
import { QUICK, type Row, reportRows, rowOf } from '../report.js'
import { addressAt, hookOf } from '../rivals/ours.js'
import { GENERATOR, type Hook } from '../rivals/tables.js'
import { inTurn, type Ready, type Rival, withReady } from '../rounds.js'
import { type Entrance, OTHER_CORE, outcomeOf } from './attempts.js'

const ROUNDS = QUICK ? 5 : 11
const ATTEMPTS = QUICK ? 4 : 6
const PACKETS = 50_000
const SOURCES = 100_000
/** How many tokens are loaded while hooks are compared. */
const LOADED = 10_000
const COUNTS = [1000, 10_000, 100_000, 199_000]
/** How many users there are, each with so many tokens. */
const USERS = [1, 8, 64]
const OF_A_USER = 1000
const PORT = 6000
/** Seconds. Each period has a token for each family. */
const PERIOD = 10
const FLOODING = { port: PORT, protocol: 'udp', sources: SOURCES } as const
const needs = ['knock', 'nc']

const folder = await mkdtemp(join(tmpdir(), 'knocklib-bench-'))
const fileOf = (user: number) => join(folder, `user${user}`)
/** If the newest nft cannot be fetched, the usual one may be too old: then doors are left out. */
const newest = (await nftVersions().catch(() => [])).at(-1)
const binary = newest?.path ?? NFT
const nftOf = (server: string) => createNft({ netns: server, binary })

const specOf = (hook: Hook, tokens: number, users: number): KnockSpec => ({
  ...hookOf(hook),
  doors: [
    {
      name: 'service',
      service: 'tcp/22',
      ...addressAt(hook),
      knock: {
        ...{ type: 'token', port: `udp/${PORT}`, period: PERIOD },
        horizon: (tokens / 2 - 2) * PERIOD,
        users: Array.from({ length: users }, (_, user) => ({
          name: `user${user}`,
          secretFile: fileOf(user),
        })),
      },
      open: { for: 5 },
    },
  ],
})

/** Milliseconds that the last installation took. */
let took = 0

/** A door with tokens of users. `x`: their number in the results. */
const ours = (hook: Hook, tokens: number, users = 1, x = tokens): Rival => ({
  name: `knocklib at ${hook}`,
  x,
  needs,
  async install(server) {
    const begun = performance.now()
    await installKnock(specOf(hook, tokens, users), { nft: nftOf(server) })
    took = performance.now() - begun
    return undefined
  },
})

/** The least rule that drops a wrong token: it looks the bytes up in a set of as many. */
const byHand = (count: number): Rival => ({
  name: 'by hand at ingress',
  async install(server) {
    const hex = (index: number) => `0x${(index + 1).toString(16).padStart(32, '5a')}`
    const elements = Array.from({ length: count }, (_, index) => hex(index))
    const script = `table netdev other {
      set tokens { typeof @th,64,128; elements = { ${elements.join(', ')} }; }
      chain in { type filter hook ingress device "${CABLE}" priority -10
        udp dport ${PORT} udp length 24 @th,64,128 @tokens accept
        udp dport ${PORT} drop
      }
    }`
    await apply(server, script, binary)
    return undefined
  },
})

/** The client sends tokens that are loaded and were not used yet: a token works once. */
async function entranceOf({ server, client }: Pair): Promise<Entrance> {
  const knock = await attachKnock({ nft: nftOf(server) })
  let sent = 0
  return {
    async knock() {
      const token = tokenAt(Date.now() / 1000 + PERIOD * sent, PERIOD, SECRET)
      sent += 1
      const bytes = token.replace(/../g, '\\x$&')
      const script = `printf '${bytes}' | nc -u -w0 ${SERVER[4]} ${PORT}`
      await exec(client, 'taskset', [...OTHER_CORE, 'bash', '-c', script])
    },
    close: () => knock.door('service').close(CLIENT[4]),
  }
}

const letIn = async ({ pair }: Ready): Promise<number> =>
  (await outcomeOf(pair, FLOODING, await entranceOf(pair), ATTEMPTS)).letIn

const measure = ({ pair }: Ready) => floodOnce(pair, PACKETS, PORT, 'udp')

async function compareHooks(ready: readonly Ready[]): Promise<Row[]> {
  await inTurn(ready, ROUNDS, measure)
  const runsOf = (name: string) => ready.find(({ rival }) => rival.name === name)?.runs ?? []
  const floor = runsOf(GENERATOR.name)
  const base = { name: 'by hand at ingress', runs: runsOf('by hand at ingress') }
  const rows: Row[] = []
  for (const one of ready.filter(({ rival }) => rival !== GENERATOR)) {
    const own = { variant: one.rival.name, floor, base, isBeyondFloor: true }
    rows.push(rowOf({ ...own, part: 'a wrong token', unit: 'ns', runs: one.runs }))
    if (one.rival.x === undefined) continue
    const unit = `of ${ATTEMPTS}`
    rows.push(rowOf({ part: 'let in', variant: one.rival.name, unit, runs: [await letIn(one)] }))
  }
  return rows
}

/** Measures one number of tokens or users, beside the generator in the same rounds. */
async function grow(part: string, rival: Rival, absent: string[]): Promise<Row[]> {
  return await withReady([GENERATOR, rival], async (ready, lacks) => {
    absent.push(...lacks)
    const [floor, door] = ready
    if (!floor || !door) return []
    await inTurn(ready, ROUNDS, measure)
    const own = { variant: rival.name, x: rival.x }
    const unit = `of ${ATTEMPTS}`
    return [
      rowOf({ ...own, part: `${part}: installed in`, unit: 'ms', runs: [took] }),
      rowOf({ ...own, part, unit: 'ns', runs: door.runs, floor: floor.runs }),
      rowOf({ ...own, part: `${part}: let in`, unit, runs: [await letIn(door)] }),
    ]
  })
}

sweep()
try {
  for (let user = 0; user < Math.max(...USERS); user += 1) {
    await writeFile(fileOf(user), user === 0 ? SECRET : `${SECRET} ${user}`, { mode: 0o600 })
  }
  const rivals = [
    ...[GENERATOR, byHand(LOADED)],
    ...(['input', 'prerouting', 'ingress'] as const).map((hook) => ours(hook, LOADED)),
  ]
  const absent: string[] = []
  const rows = await withReady(rivals, async (ready, lacks) => {
    absent.push(...lacks)
    return await compareHooks(ready)
  })
  for (const x of COUNTS) rows.push(...(await grow('tokens', ours('input', x), absent)))
  for (const x of USERS) {
    rows.push(...(await grow('users', ours('input', OF_A_USER, x, x), absent)))
  }
  const method =
    `${ROUNDS} rounds in turn of ${PACKETS.toLocaleString('en')} datagrams each; ` +
    `${ATTEMPTS} attempts during each flood; ${LOADED.toLocaleString('en')} tokens loaded ` +
    'unless said otherwise.'
  reportRows('guesses', { method, rows, absent, ...(newest && { nft: newest.version }) })
} finally {
  await rm(folder, { recursive: true })
}
