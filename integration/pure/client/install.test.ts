// The package as npm would publish it, installed without its optional dependency → what runs all
// the same, and what is said of the rest. Needs what `npm run build` made.
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { missingPrograms } from '../../machine/capabilities.js'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const exec = promisify(execFile)

interface Said {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** A folder into which the package and what it needs were installed, outside of this project. */
class Installed {
  readonly folder: string

  private constructor(folder: string) {
    this.folder = folder
  }

  static async make(): Promise<Installed> {
    const folder = await mkdtemp(join(tmpdir(), 'knocklib-'))
    const home = join(folder, 'node_modules/knocklib')
    await mkdir(home, { recursive: true })
    const pack = ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder]
    const { stdout } = await exec('npm', pack, { cwd: ROOT })
    await exec('tar', ['-xzf', join(folder, stdout.trim()), '-C', home, '--strip-components=1'])
    const { dependencies } = JSON.parse(await readFile(join(home, 'package.json'), 'utf8'))
    for (const name of Object.keys(dependencies)) {
      const link = join(folder, 'node_modules', name)
      await mkdir(dirname(link), { recursive: true })
      await symlink(join(ROOT, 'node_modules', name), link)
    }
    return new Installed(folder)
  }

  /** Runs a program of the package; the host's own ruleset is out of its reach. */
  async run(file: string, ...args: readonly string[]): Promise<Said> {
    const path = join(this.folder, 'node_modules/knocklib', file)
    const env = { ...process.env, KNOCKLIB_NFT: '/nonexistent/nft' }
    const running = exec(process.execPath, [path, ...args], { cwd: this.folder, env })
    running.child.stdin?.end()
    try {
      return { code: 0, ...(await running) }
    } catch (error) {
      const { code, stdout, stderr } = error as Said
      return { code, stdout, stderr }
    }
  }

  knocklib(...args: readonly string[]): Promise<Said> {
    return this.run('dist/command/launch.cjs', ...args)
  }

  write(name: string, text: string): Promise<void> {
    return writeFile(join(this.folder, name), text, { mode: 0o600 })
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true })
  }
}

const SPEC = `doors:
  - name: ssh
    service: tcp/22
    knock: { type: sequence, steps: [udp/7000, udp/8000], stepTimeout: 5s }
    open: { for: 30s }
`

t.test('without the package netlink', { skip: missingPrograms('npm', 'tar') }, async (t) => {
  const installed = await Installed.make()
  t.teardown(() => installed.remove())
  await installed.write('doors.yaml', SPEC)
  await installed.write('trace.txt', '0 10.77.0.2 udp/7000\n0.1 10.77.0.2 udp/8000\n')

  t.test('a spec is checked, rendered and simulated', async (t) => {
    const check = await installed.knocklib('check', 'doors.yaml')
    t.match(check, { code: 0, stdout: /^doors\.yaml: valid; nft and the kernel were not asked/ })
    const render = await installed.knocklib('render', 'doors.yaml', '--format', 'nft')
    t.match(render, { code: 0, stdout: /^table inet knock/m, stderr: '' })
    const simulate = await installed.knocklib('simulate', 'doors.yaml', 'trace.txt')
    t.match(simulate, { code: 0, stdout: /knocks 2, grants 1/, stderr: '' })
  })

  t.test('a knock is sent', async (t) => {
    const knock = await installed.knocklib('knock', '127.0.0.1', 'udp/7000', '--json')
    t.match(knock, { code: 0, stderr: '' })
    t.strictSame(JSON.parse(knock.stdout), {
      host: '127.0.0.1',
      sent: 1,
      addresses: ['127.0.0.1'],
    })
  })

  t.test('each entry of the package can be imported', async (t) => {
    const program = `
      import * as all from 'knocklib'
      import * as client from 'knocklib/client'
      import { FakeNft } from 'knocklib/testing'
      import schema from 'knocklib/schemas/client.schema.json' with { type: 'json' }
      import vectors from 'knocklib/schemas/vectors.json' with { type: 'json' }
      console.log(typeof all.installKnock, typeof client.sendKnock, typeof FakeNft,
        schema.title, vectors.tokens.length > 50)`
    await installed.write('all.mjs', program)
    const env = { ...process.env, NODE_NO_WARNINGS: '1' }
    const { stdout } = await exec(process.execPath, ['all.mjs'], { cwd: installed.folder, env })
    t.equal(stdout, 'function function function KnockProfile true\n')
  })

  /** Compiles a program that uses the client, and returns what the compiler says. */
  const compile = async (use: string, options: object): Promise<string> => {
    const common = { module: 'esnext', moduleResolution: 'bundler', target: 'es2022' }
    const compilerOptions = { ...common, strict: true, noEmit: true, ...options }
    await installed.write('use.ts', use)
    await installed.write('tsconfig.json', JSON.stringify({ compilerOptions, files: ['use.ts'] }))
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
    const running = exec(process.execPath, [tsc], { cwd: installed.folder })
    return (await running.catch((error: Said) => error)).stdout
  }

  t.test('the types of the client need none of Node', async (t) => {
    const use = `
      import { CapabilityError, connectDoor, type KnockProfile } from 'knocklib/client'
      import { openDoor, tokenAt } from 'knocklib/client'
      const token = { door: 'ssh', port: 'udp/6000', secret: 'sixteen bytes or more' }
      const profile: KnockProfile = { host: '192.0.2.1', token }
      export const one = async () => (await openDoor(undefined, profile, { port: 22 })).verdict
      export const two = async () => (await tokenAt(token, token)).bytes.length
      export const three = (error: unknown) => error instanceof CapabilityError && error.missing
      export const four = async () => (await connectDoor(undefined, profile)).end()`
    t.equal(await compile(use, { types: [], lib: ['es2022', 'dom'] }), '')
  })

  t.test('with the types of Node a connection is a socket', async (t) => {
    const use = `
      import { connectDoor } from 'knocklib/client'
      import type { Socket } from 'node:net'
      export const socket: Promise<Socket> = connectDoor('192.0.2.1', 'home.yaml')
      export const number: Promise<number> = connectDoor('192.0.2.1', 'home.yaml')`
    const typeRoots = [join(ROOT, 'node_modules/@types')]
    const said = await compile(use, { types: ['node'], typeRoots, skipLibCheck: true })
    t.match(said, /^use\.ts\(5,20\): error TS2322: Type 'Promise<Socket>' is not assignable/)
    t.equal(said.match(/error/g)?.length, 1, said)
  })

  t.test('what needs nft says so', async (t) => {
    const status = await installed.knocklib('status')
    t.match(status, { code: 3, stderr: /^knocklib status: nft: nft was not found/ })
  })

  t.test('what needs netlink says so', async (t) => {
    for (const reader of [['log-reader.js', '5'], ['change-reader.js']]) {
      const [name = '', ...args] = reader
      const { stdout } = await installed.run(`dist/command/${name}`, ...args)
      const { failed } = JSON.parse(stdout)
      t.equal(failed.code, 'missing-capability', name)
      t.match(failed.reason, /the optional package netlink: .*npm install netlink$/)
    }
  })
})
