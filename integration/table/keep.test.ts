// A table that is kept standing: flushed and altered by hand, with grants, bans and used secrets in
// it.
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import t from 'tap'
import { createNft, installKnock, type KeepEvent, type Knock, loadState } from '../../lib/index.js'
import { build } from '../machine/built.js'
import { missing } from '../machine/capabilities.js'
import { CABLE, CLIENT, exec, NFT, SERVER } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'
import { doorOf, FAMILIES, House } from '../scene/house.js'
import { nowSeconds, TokenHouse, tokenAt } from '../scene/token-house.js'
import { groupsIn, holdGroup, processOf } from '../scene/watching.js'

const { versions, skip: lacks } = await versionsOrSkip()
const skip = lacks || missing('knock', 'nc')

// The processes that read the kernel's events are the built ones.
build()

/**
 * Milliseconds after which what did not happen will not: a machine with other things to do is slow.
 */
const PATIENCE = 20_000
const FLUSHES = 20

/** A table that is kept, and what was reported meanwhile. */
class Kept implements AsyncDisposable {
  readonly events: KeepEvent[] = []
  readonly #stop = new AbortController()
  readonly ended: Promise<void>

  constructor(knock: Knock, stateFile?: string) {
    this.ended = knock.keepInstalled({
      signal: this.#stop.signal,
      onEvent: (event) => this.events.push(event),
      ...(stateFile !== undefined && { stateFile }),
    })
    this.ended.catch(() => {})
  }

  named(name: KeepEvent['event']): KeepEvent[] {
    return this.events.filter(({ event }) => event === name)
  }

  /** Waits until as many of these were reported. */
  async heard(name: KeepEvent['event'], count = 1, patience = PATIENCE): Promise<KeepEvent[]> {
    const end = performance.now() + patience
    while (this.named(name).length < count) {
      if (performance.now() > end) {
        throw new Error(
          `${this.named(name).length} of ${count} ${name}: ${JSON.stringify(this.events)}`,
        )
      }
      await sleep(10)
    }
    return this.named(name)
  }

  /** Waits until nothing is missed any more; one source has a grant then. */
  async begun(house: House): Promise<void> {
    await this.heard('watching')
    await house.knock.doors[0]?.open('203.0.113.250', { for: 600 })
    await this.heard('granted')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.ended
  }
}

const grantees = async (house: House) =>
  (await house.knock.doors[0]?.grants())?.map(({ source }) => source).sort()

const knockOn = (house: House, family: 4 | 6, ...ports: string[]) =>
  house.run('knock', `-${family}`, '-d', '20', SERVER[family], ...ports)

t.jobs = 2

for (const { version, path } of versions) {
  t.test(`nft ${version}: flushed`, { skip, buffered: true }, async (t) => {
    await using house = await House.open(doorOf(['tcp/7000', 'udp/8000']), path)
    await using kept = new Kept(house.knock)
    await kept.begun(house)
    const took: number[] = []
    for (let flush = 1; flush <= FLUSHES; flush += 1) {
      const source = `203.0.113.${flush}`
      await house.knock.doors[0]?.open(source, { for: '10m' })
      // The last knock's grant is reported by the packet alone: no listing has seen it yet.
      if (flush === FLUSHES)
        await Promise.all(FAMILIES.map((f) => knockOn(house, f, '7000', '8000:udp')))
      await kept.heard('granted', kept.named('granted').length)
      await exec(house.pair.server, path, ['flush', 'ruleset'])
      const restored = await kept.heard('restored', flush)
      took.push((restored.at(-1) as { took: number }).took)
    }
    t.equal(kept.named('restored').length, FLUSHES)
    const expected = Array.from({ length: FLUSHES }, (_, index) => `203.0.113.${index + 1}`)
    const lost = async () => {
      const found = new Set(await grantees(house))
      return [...expected, CLIENT[4], CLIENT[6]].filter((source) => !found.has(source))
    }
    // What is reported after the table was made follows.
    for (const end = performance.now() + PATIENCE; performance.now() < end; ) {
      if ((await lost()).length === 0) break
    }
    t.strictSame(await lost(), [], 'no grant is lost')
    // So many flushes are somebody's doing, and that is reported.
    const failures = kept.named('failed').map((event) => 'what' in event && event.what)
    t.strictSame([...new Set(failures)], ['contested'])
    t.ok(Math.max(...took) < PATIENCE, `back within ${took.sort((a, b) => a - b).join(' ')} ms`)
    for (const family of FAMILIES) t.equal(await house.answers(family), true, 'let in as before')
  })

  t.test(`nft ${version}: altered by hand`, { skip, buffered: true }, async (t) => {
    await using house = await House.open(doorOf(['tcp/7000']), path)
    await using kept = new Kept(house.knock)
    await kept.begun(house)
    const nft = (...args: string[]) => exec(house.pair.server, path, args)
    const before = (await nft('-s', 'list', 'chain', 'inet', 'knock', 'gate_service')).stdout
    const [, ports = ''] =
      /vmap @(ports_\w+)/.exec((await nft('list', 'table', 'inet', 'knock')).stdout) ?? []
    let count = 0
    for (const [name, args] of Object.entries({
      'its rules flushed': ['flush', 'table', 'inet', 'knock'],
      'a chain emptied': ['flush', 'chain', 'inet', 'knock', 'gate_service'],
      'a rule before all': ['insert', 'rule', 'inet', 'knock', 'gate_service', 'accept'],
      'a port taken out': ['delete', 'element', 'inet', 'knock', ports, '{ tcp . 2222 }'],
      'a chain too many': ['add', 'chain', 'inet', 'knock', 'mine'],
      'the table deleted': ['delete', 'table', 'inet', 'knock'],
    })) {
      const { code, stderr } = await nft(...args)
      t.equal(code, 0, `${name} ${stderr}`)
      count += 1
      await kept.heard('restored', count)
      t.equal(
        (await nft('-s', 'list', 'chain', 'inet', 'knock', 'gate_service')).stdout,
        before,
        name,
      )
      t.equal(await house.answers(4), false, `${name}: shut`)
      t.ok((await grantees(house))?.includes('203.0.113.250'), `${name}: the grant is there`)
    }
    await sleep(500)
    t.equal(kept.named('restored').length, count, 'and no more often')
    const { code } = await nft('list', 'chain', 'inet', 'knock', 'mine')
    t.not(code, 0, 'nothing of the hand is left')
  })
}

/** The processes that read the kernel's notifications and the log of a namespace. */
async function readersIn(namespace: string): Promise<number[]> {
  const { stdout } = await promisify(execFile)('ip', ['netns', 'pids', namespace])
  const pids = stdout.split('\n').filter((pid) => pid !== '')
  const found = await Promise.all(
    pids.map(async (pid) => {
      const argv = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
      return /(?:log|change)-reader\.js/.test(argv) ? [Number(pid)] : []
    }),
  )
  return found.flat()
}

const PLACES = ['input', 'forward', 'prerouting', 'ingress'] as const

for (const [index, { version, path }] of versions.entries()) {
  // What differs between the versions is how they list a chain of a device.
  for (const hook of PLACES.slice(index === 0 ? 0 : -1)) {
    const title = `nft ${version}: a base chain at ${hook} that goes without a word`
    t.test(title, { skip, buffered: true }, async (t) => {
      const spec = { ...doorOf(['tcp/7000']), hook, interfaces: [CABLE] }
      await using house = await House.open(spec, path)
      const nft = (...args: string[]) => exec(house.pair.server, path, args)
      const base = async () => (await nft('-s', 'list', 'chain', 'inet', 'knock', hook)).stdout
      const before = await base()
      const warned = async () => (await house.knock.status()).warnings ?? []
      t.strictSame(await warned(), [])
      {
        await using kept = new Kept(house.knock)
        await kept.begun(house)
        const readers = await readersIn(house.pair.server)
        t.ok(readers.length > 0, 'nobody reads')
        for (const pid of readers) process.kill(pid, 'SIGSTOP')
        try {
          const { code, stderr } = await nft('delete', 'chain', 'inet', 'knock', hook)
          t.equal(code, 0, stderr)
          const [restored] = await kept.heard('restored')
          t.match(restored, { was: 'altered' })
          const { took, open } = restored as { took: number; open: number }
          t.ok(open >= took, `open for ${open} ms, seen for ${took} ms`)
          t.equal(await base(), before)
          if (hook !== 'forward') t.equal(await house.answers(4), false, 'shut')
          t.ok((await grantees(house))?.includes('203.0.113.250'), 'the grant is there')
        } finally {
          for (const pid of readers) process.kill(pid, 'SIGCONT')
        }
        // What is heard late changes nothing.
        await sleep(1500)
        t.equal(kept.named('restored').length, 1)
      }
      await nft('delete', 'chain', 'inet', 'knock', hook)
      t.match(await warned(), [{ id: 'chain-missing', message: /^NOT SHUT.* install/ }])
    })
  }
}

t.test('what was used is used after a flush', { skip, buffered: true }, async (t) => {
  const binary = versions.at(-1)?.path as string
  await using tokens = await TokenHouse.open({ binary })
  const { house } = tokens
  await using kept = new Kept(house.knock)
  await kept.begun(house)
  const period = 60
  const token = tokenAt(nowSeconds(), period)
  await tokens.send([token])
  await kept.heard('granted', kept.named('granted').length + 1).catch(() => {})
  t.equal(await house.answers(4), true, 'the token opens')
  await tokens.close(CLIENT[4])
  await kept.heard('closed')
  await exec(house.pair.server, binary, ['flush', 'ruleset'])
  await kept.heard('restored')
  t.equal(await house.answers(4), false, 'closed before the flush, and after it')
  await tokens.send([token])
  await sleep(300)
  t.equal(await house.answers(4), false, 'the same token opens nothing')
  await tokens.send([tokenAt(nowSeconds() + period, period)])
  await sleep(300)
  t.equal(await house.answers(4), true, 'the next one does')
})

t.test('a sequence that was used is used after a flush', { skip, buffered: true }, async (t) => {
  const knock = {
    type: 'sequence',
    oneTime: [
      ['tcp/7000', 'tcp/7001'],
      ['tcp/7100', 'tcp/7101'],
    ],
    stepTimeout: '5s',
  }
  const spec = { ...doorOf([], { knock }), guard: { ban: { after: 1, within: '1m', for: '10m' } } }
  await using house = await House.open(spec)
  await using kept = new Kept(house.knock)
  await kept.begun(house)
  const heard = kept.named('granted').length
  await knockOn(house, 4, '7100', '7101')
  await kept.heard('granted', heard + 1)
  await house.knock.doors[0]?.close(CLIENT[4])
  await knockOn(house, 6, '7100', '7000', '7101')
  await exec(house.pair.server, NFT, ['flush', 'ruleset'])
  await kept.heard('restored')
  await knockOn(house, 4, '7100', '7101')
  t.equal(await house.answers(4), false, 'used')
  const bans = await house.knock.bans()
  t.ok(
    bans.some(({ source }) => source === CLIENT[6]),
    `banned before: ${JSON.stringify(bans)}`,
  )
})

t.test(
  'a table that waits to be confirmed goes on waiting',
  { skip, buffered: true },
  async (t) => {
    await using house = await House.open(doorOf(['tcp/7000']))
    const nft = createNft({ binary: NFT, netns: house.pair.server })
    const knock = await installKnock(doorOf(['tcp/7000']), { nft, confirmWithin: '12s' })
    await using kept = new Kept(knock)
    await kept.begun(house)
    await sleep(1500)
    await exec(house.pair.server, NFT, ['flush', 'ruleset'])
    await kept.heard('restored')
    const { confirm } = await knock.status()
    t.ok(
      confirm && 'expiresIn' in confirm && (confirm.expiresIn as number) < 12,
      JSON.stringify(confirm),
    )
    await knock.confirm()
    await sleep(1500)
    t.strictSame(kept.named('restored').length, 1, 'a confirmed table is not altered')
    await exec(house.pair.server, NFT, ['flush', 'ruleset'])
    await kept.heard('restored', 2)
    t.notOk((await knock.status()).confirm, 'confirmed for good')
  },
)

t.test('without a log the last listing counts', { skip, buffered: true }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'knocklib-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'state.json')
  await using house = await House.open({ ...doorOf(['tcp/7000']), log: false })
  await using kept = new Kept(house.knock, file)
  await kept.begun(house)
  await knockOn(house, 4, '7000')
  // A listing each second, or after ten times as long as the last one took. What it finds is
  // written.
  const isListed = async () =>
    (await loadState(file))?.grants.some(({ source }) => source === CLIENT[4])
  for (let tries = 0; tries < 300 && !(await isListed()); tries += 1) await sleep(100)
  t.ok(await isListed(), 'listed and written')
  await exec(house.pair.server, NFT, ['flush', 'ruleset'])
  await kept.heard('restored')
  t.ok((await grantees(house))?.includes(CLIENT[4]), 'let in as before')
})

t.test('writes its state', { skip, buffered: true }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'knocklib-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'state.json')
  await using house = await House.open(doorOf(['tcp/7000']))
  {
    await using kept = new Kept(house.knock, file)
    await kept.begun(house)
    await knockOn(house, 4, '7000')
    await kept.heard('granted', 2)
    await sleep(1000)
    const state = await loadState(file)
    t.strictSame(state?.grants.map(({ source }) => source).sort(), [CLIENT[4], '203.0.113.250'])
    await house.knock.doors[0]?.close(CLIENT[4])
  }
  const state = await loadState(file)
  t.strictSame(
    state?.grants.map(({ source }) => source),
    ['203.0.113.250'],
    'the last one at the end',
  )
})

t.test('needs to know the spec', async (t) => {
  const { attachKnock } = await import('../../lib/index.js')
  await using house = await House.open(doorOf(['tcp/7000']))
  const nft = createNft({ binary: NFT, netns: house.pair.server })
  const attached = await attachKnock({ nft })
  const { signal } = new AbortController()
  await t.rejects(attached.keepInstalled({ signal }), {
    code: 'invalid-argument',
    message: /attachKnock/,
  })
})

t.test('another process has the group for a while', { skip, buffered: true }, async (t) => {
  await using house = await House.open(doorOf(['tcp/7000']))
  const { server } = house.pair
  const holderOf = async () => processOf((await groupsIn(server)).get(5) ?? 0)
  const first = await holdGroup(house.pair.server)
  while (!(await groupsIn(server)).has(5)) await sleep(10)
  await using kept = new Kept(house.knock)
  t.match(await kept.heard('failed'), [{ what: 'events', message: /NFLOG group 5: process \d+/ }])
  t.strictSame(kept.named('watching'), [], 'something is missed')
  t.equal((await kept.heard('overrun')).length, 1, 'what packets do is missing')
  const own = await holderOf()
  await first.end()
  await kept.heard('watching', 1, 2 * PATIENCE)
  t.not(await holderOf(), own)
  await knockOn(house, 4, '7000')
  t.match(await kept.heard('granted'), [{ by: 'knock', source: CLIENT[4] }], 'packets are reported')

  const second = await holdGroup(house.pair.server)
  process.kill(await holderOf(), 'SIGKILL')
  await kept.heard('failed', 2)
  await exec(server, NFT, ['delete', 'table', 'inet', 'knock'])
  await kept.heard('restored')
  t.strictSame(await grantees(house), [CLIENT[4]], 'it is kept meanwhile')
  await second.end()
  await kept.heard('watching', 2, 2 * PATIENCE)
  await knockOn(house, 6, '7000')
  await kept.heard('granted', 2)
  t.equal(kept.named('failed').length, 2, 'told once for each time')
})
