// Netlink under stress: refusals that fill the receive buffer, dumps during changes, no permission,
// another namespace, an idle process.
import t from 'tap'
import { build, LIBRARY } from '../machine/built.js'
import { createPair, exec } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'

const { skip } = await versionsOrSkip()

const SPEC = {
  doors: [
    {
      name: 'ssh',
      service: 'tcp/22',
      knock: { type: 'sequence', steps: ['tcp/7000'] },
      open: { for: '1h' },
    },
    {
      name: 'web',
      service: 'tcp/80',
      knock: { type: 'sequence', steps: ['tcp/7001'] },
      open: { for: '1h', connections: 8 },
    },
  ],
}

/** Returns a program that uses the built library and prints its results as JSON. */
const program = (body: string): string => `
import { attachKnock, createNft, installKnock } from ${JSON.stringify(LIBRARY)}
const SPEC = ${JSON.stringify(SPEC)}
const v4 = (count, from = 0) => Array.from({ length: count }, (_, i) =>
  '10.' + [i >> 16, i >> 8 & 255, i & 255].map((n, at) => at ? n : n + from).join('.'))
const v6 = (count) => Array.from({ length: count }, (_, i) => '2001:db8::' + (i + 1).toString(16))
const codeOf = (promise) => promise.then(() => 'done', (error) => error.name + ' ' + error.code)
const tell = (value) => console.log(JSON.stringify(value))
${body}
`

async function run(
  namespace: string,
  body: string,
  through: readonly string[] = [],
  more: Readonly<Record<string, string>> = {},
): Promise<unknown> {
  const { KNOCKLIB_NFT: _, ...env } = { ...process.env, ...more }
  const node = [process.execPath, '--input-type=module', '-e', program(body)]
  const [file, ...args] = [...through, ...node] as [string, ...string[]]
  const { code, stdout, stderr } = await exec(namespace, file, args, { env })
  if (code !== 0) throw new Error(`ended with ${code}: ${stderr}`)
  return JSON.parse(stdout)
}

t.test('grants are opened and closed through netlink', { skip }, async (t) => {
  build()
  await using pair = await createPair()
  const inside = (body: string) => run(pair.server, body)

  await t.test('many refusals at once are all reported, and the process goes on', async (t) => {
    const codes = await inside(`
      const knock = await installKnock(SPEC, { elements: 'netlink' })
      const [ssh, web] = [knock.door('ssh'), knock.door('web')]
      await ssh.open('10.0.0.1')
      await knock.uninstall()
      const calls = []
      for (let i = 0; i < 30; i++) {
        calls.push(ssh.openMany(v6(3000)), web.openMany([...v6(500), ...v4(500)]))
        calls.push(ssh.close('10.0.0.1'), ssh.grantOf('10.0.0.1'), ssh.grants())
      }
      const end = Date.now() + 300
      while (Date.now() < end);
      tell([...new Set(await Promise.all(calls.map(codeOf)))])
    `)
    t.strictSame(codes, ['NftError not-found'])
  })

  await t.test('a list is complete while the set changes', async (t) => {
    const result = await inside(`
      const knock = await installKnock(SPEC, { elements: 'netlink' })
      const ssh = knock.door('ssh')
      const standing = [...v4(20000), ...v6(5000)]
      await ssh.openMany(standing)
      let changes = 0, isOver = false
      const changing = (async () => {
        while (!isOver) {
          await ssh.open('192.0.2.' + (changes % 200)); changes++
          await new Promise((done) => setTimeout(done, 100))
        }
      })()
      const missing = [], twice = []
      for (let i = 0; i < 5; i++) {
        const seen = new Set(); let count = 0
        for await (const { source } of ssh.eachGrant()) { seen.add(source); count++ }
        twice.push(count - seen.size)
        missing.push(standing.filter((source) => !seen.has(source)).length)
      }
      isOver = true; await changing
      await knock.uninstall()
      tell({ missing, twice, isBusy: changes > 0 })
    `)
    t.strictSame(result, { missing: [0, 0, 0, 0, 0], twice: [0, 0, 0, 0, 0], isBusy: true })
  })

  await t.test('a list right after a hundred thousand new grants is complete', async (t) => {
    const result = await inside(`
      const knock = await installKnock(SPEC, { elements: 'netlink' })
      const ssh = knock.door('ssh')
      await ssh.openMany(v4(100000))
      const listed = await ssh.grants()
      await knock.uninstall()
      tell([listed.length, new Set(listed.map(({ source }) => source)).size])
    `)
    t.strictSame(result, [100_000, 100_000])
  })

  await t.test('a missing right is reported as by nft', async (t) => {
    await inside(`await installKnock(SPEC); tell('installed')`)
    const listed = await inside(`tell(await createNft().list({ table: 'knock', set: 'about' }))`)
    const dropped = ['setpriv', '--bounding-set=-net_admin', '--inh-caps=-net_admin', '--']
    const codes = await run(
      pair.server,
      // This nft has permission, so only the access to grants fails: first netlink, then nft.
      `
      let mayNot = false
      const real = createNft()
      const nft = {
        list: (...asked) => (mayNot ? real : allowed).list(...asked),
        apply: (...asked) => real.apply(...asked),
        check: (...asked) => real.check(...asked),
        version: (...asked) => real.version(...asked),
      }
      const about = JSON.parse(process.env.LISTED)
      const allowed = { list: async () => about }
      const way = async (elements) => {
        const ssh = (await attachKnock({ nft, elements })).door('ssh')
        mayNot = true
        const codes = []
        for (const name of ['open', 'close', 'grantOf', 'grants'])
          codes.push(await codeOf(ssh[name]('10.0.0.1')))
        mayNot = false
        return codes
      }
      tell([...new Set([...(await way('netlink')), ...(await way('nft'))])])
    `,
      dropped,
      { LISTED: JSON.stringify(listed) },
    )
    t.strictSame(codes, ['NftError not-permitted'])
    await inside(`await (await attachKnock()).uninstall(); tell('removed')`)
  })

  await t.test('a process with an idle socket ends by itself', async (t) => {
    const begun = Date.now()
    t.strictSame(
      await inside(`
        const knock = await installKnock(SPEC, { elements: 'netlink' })
        await knock.door('ssh').open('10.0.0.1')
        tell((await knock.door('ssh').grants()).map(({ source }) => source))
      `),
      ['10.0.0.1'],
    )
    t.ok(Date.now() - begun < 20_000)
  })

  await t.test('netlink is the default here, and nft in another namespace', async (t) => {
    const counts = await inside(`
      const here = await attachKnock()
      const there = await installKnock(SPEC, { nft: createNft({ netns: '${pair.client}' }) })
      await there.door('ssh').openMany(['192.0.2.1', '192.0.2.2'])
      const countOf = async (knock) => (await knock.door('ssh').grants()).length
      const counts = await Promise.all([here, there].map(countOf))
      await Promise.all([here.uninstall(), there.uninstall()])
      tell(counts)
    `)
    t.strictSame(counts, [1, 2])
  })
})
