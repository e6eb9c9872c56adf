// A kept table that is altered by hand, with or without an event: each change is undone.
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import t from 'tap'
import { build } from '../../machine/built.js'
import { missing } from '../../machine/capabilities.js'
import { CABLE, exec } from '../../machine/namespaces.js'
import { versionsOrSkip } from '../../machine/nft-versions.js'
import { grantees, KeptTable } from '../../setups/kept-table.js'
import { doorOf, ServiceSetup } from '../../setups/service-setup.js'

const { versions, skip: lacks } = await versionsOrSkip()
const skip = lacks || missing('knock', 'nc')

// The reader processes run from the build.
build()

t.jobs = 2

for (const { version, path } of versions) {
  t.test(`nft ${version}: repairs after changes by hand`, { skip, buffered: true }, async (t) => {
    await using setup = await ServiceSetup.open(doorOf(['tcp/7000']), path)
    await using kept = new KeptTable(setup.knock)
    await kept.begun(setup)
    const nft = (...args: string[]) => exec(setup.pair.server, path, args)
    const before = (await nft('-s', 'list', 'chain', 'inet', 'knock', 'gate_service')).stdout
    const [, ports = ''] =
      /vmap @(ports_\w+)/.exec((await nft('list', 'table', 'inet', 'knock')).stdout) ?? []
    let count = 0
    for (const [name, args] of Object.entries({
      'its rules flushed': ['flush', 'table', 'inet', 'knock'],
      'a chain emptied': ['flush', 'chain', 'inet', 'knock', 'gate_service'],
      'a rule before all others': ['insert', 'rule', 'inet', 'knock', 'gate_service', 'accept'],
      'a removed port': ['delete', 'element', 'inet', 'knock', ports, '{ tcp . 2222 }'],
      'an additional chain': ['add', 'chain', 'inet', 'knock', 'mine'],
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
      t.equal(await setup.answers(4), false, `${name}: the door is shut`)
      t.ok((await grantees(setup))?.includes('203.0.113.250'), `${name}: the grant is there`)
    }
    await sleep(500)
    t.equal(kept.named('restored').length, count, 'the table was put back once for each change')
    const { code } = await nft('list', 'chain', 'inet', 'knock', 'mine')
    t.not(code, 0, 'nothing of the change is left')
  })
}

/** Returns the reader processes of a namespace. */
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
  // The versions list a chain of a device differently.
  for (const hook of PLACES.slice(index === 0 ? 0 : -1)) {
    const title = `nft ${version}: a base chain at ${hook} that is deleted without an event`
    t.test(title, { skip, buffered: true }, async (t) => {
      const spec = { ...doorOf(['tcp/7000']), hook, interfaces: [CABLE] }
      await using setup = await ServiceSetup.open(spec, path)
      const nft = (...args: string[]) => exec(setup.pair.server, path, args)
      const base = async () => (await nft('-s', 'list', 'chain', 'inet', 'knock', hook)).stdout
      const before = await base()
      const warned = async () => (await setup.knock.status()).warnings ?? []
      t.strictSame(await warned(), [])
      {
        await using kept = new KeptTable(setup.knock)
        await kept.begun(setup)
        const readers = await readersIn(setup.pair.server)
        t.ok(readers.length > 0, 'a process reads the events')
        for (const pid of readers) process.kill(pid, 'SIGSTOP')
        try {
          const { code, stderr } = await nft('delete', 'chain', 'inet', 'knock', hook)
          t.equal(code, 0, stderr)
          const [restored] = await kept.heard('restored')
          t.match(restored, { was: 'altered' })
          const { took, open } = restored as { took: number; open: number }
          t.ok(open >= took, `open for ${open} ms, seen for ${took} ms`)
          t.equal(await base(), before)
          if (hook !== 'forward') t.equal(await setup.answers(4), false, 'the door is shut')
          t.ok((await grantees(setup))?.includes('203.0.113.250'), 'the grant is there')
        } finally {
          for (const pid of readers) process.kill(pid, 'SIGCONT')
        }
        // Late notifications must change nothing.
        await sleep(1500)
        t.equal(kept.named('restored').length, 1)
      }
      await nft('delete', 'chain', 'inet', 'knock', hook)
      t.match(await warned(), [{ id: 'chain-missing', message: /^NOT SHUT.* install/ }])
    })
  }
}
