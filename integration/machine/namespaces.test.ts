// Pairs of namespaces → they are joined, separate from the host, and always removed.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import t from 'tap'
import { missing } from './capabilities.js'
import { apply, createPair, exec, listTable, NFT, SERVER, sweep } from './namespaces.js'

const skip = missing()
const MODULE = new URL('namespaces.js', import.meta.url).href

const isThere = (name: string): boolean => existsSync(`/run/netns/${name}`)

t.test('a pair', { skip }, async (t) => {
  const pair = await createPair({ addresses: ['10.77.0.3/24', 'fd00:77::3/64'] })
  const { stdout } = await exec(pair.server, 'ip', ['-o', 'address', 'show', 'dev', 'eth0'])
  for (const address of [SERVER[4], SERVER[6], '10.77.0.3', 'fd00:77::3']) {
    t.match(stdout, `${address}/`)
  }
  const route = await exec(pair.server, 'ip', ['route', 'get', '10.99.3.4'])
  t.match(route.stdout, 'via 10.77.0.2', 'sources behind the client are answered through it')

  await apply(pair.server, 'table inet mine { }')
  t.ok(await listTable(pair.server, 'mine'))
  t.equal(await listTable(pair.client, 'mine'), undefined, 'the client has no such table')
  await t.rejects(apply(pair.server, 'table inet mine {'), { message: /^nft -f: / })
  await t.rejects(apply(pair.server, { nftables: [{ add: { nonsense: {} } }] }))

  await pair[Symbol.asyncDispose]()
  t.notOk(isThere(pair.server) || isThere(pair.client), 'gone')
})

t.test('nothing is left of a pair that could not be made', { skip }, async (t) => {
  await t.rejects(createPair({ addresses: ['nonsense'] }), { message: /^ip / })
  const own = readdirSync('/run/netns').filter((name) => name.includes(`-${process.pid}-`))
  t.same(own, [])
})

/** Starts a process that makes a pair and waits. */
async function startHolder() {
  const script = `
    const { createPair } = await import(${JSON.stringify(MODULE)})
    console.log((await createPair()).server)
    setInterval(() => {}, 1000)
  `
  const args = [...process.execArgv, '--input-type=module', '--eval', script]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  return { child, server: line.toString().trim() }
}

t.test('a pair is removed when its process ends', { skip }, async (t) => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const { child, server } = await startHolder()
    t.ok(isThere(server), server)
    child.kill(signal)
    const [, ended] = await once(child, 'exit')
    t.equal(ended, signal, 'the process ends by the signal that it was sent')
    t.notOk(isThere(server) || isThere(server.replace('srv', 'cli')), signal)
  }
})

t.test(
  'a sweep removes what a killed process left, and nothing of a living one',
  { skip },
  async (t) => {
    await using living = await createPair()
    const { child, server } = await startHolder()
    child.kill('SIGKILL')
    await once(child, 'exit')
    t.ok(isThere(server), 'left')
    sweep()
    t.notOk(isThere(server), 'swept')
    t.ok(isThere(living.server), 'still there')
    t.equal((await exec(living.server, NFT, ['list', 'ruleset'])).stdout, '')
  },
)
