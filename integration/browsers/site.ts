// A server with a token door for browsers, its page from a file and over https, and the client
// library: in namespaces.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Family } from '../../lib/spec/model/packet-model.js'
import { build, CLI, compiled } from '../machine/built.js'
import { exec, type Output, SERVER } from '../machine/namespaces.js'
import { startProgram } from '../machine/programs.js'
import { doorOf, FAMILIES, ServiceSetup } from '../setups/service-setup.js'

const KNOCK_PORT = 41234
const HTTPS = 8443

/** The host that the page shows: browsers use its addresses alone. */
export const HOST = 'server.example'

export interface Site extends AsyncDisposable {
  readonly house: ServiceSetup
  /** The secret of each user: each works once in a period. */
  readonly secrets: readonly string[]
  /** Where the page is that knocks over one family. */
  fileUrl(family: Family): string
  httpsUrl(family: Family): string
  /** An empty page of the same server, which may run any script. */
  readonly emptyUrl: string
  /** What was asked for over https since the last call. */
  requests(): Promise<string[]>
}

/** Files by path, and at /requests what was asked for before; ends with our end of its stdin. */
const SERVE = `
  const [folder, portable] = process.argv.slice(1)
  const { readFileSync } = require('node:fs')
  const { join } = require('node:path')
  let asked = []
  const read = (name) => readFileSync(join(folder, name))
  const options = { key: read('key'), cert: read('cert') }
  process.stdin.on('end', () => process.exit()).resume()
  require('node:https').createServer(options, ({ url }, response) => {
    if (url === '/requests') { response.end(JSON.stringify(asked)); asked = []; return }
    asked.push(url)
    const type = url.endsWith('.js') ? 'text/javascript' : 'text/html'
    response.setHeader('content-type', type)
    try {
      const home = url.endsWith('.js') ? portable : folder
      response.end(url === '/' ? '<!doctype html>' : readFileSync(join(home, url)))
    } catch { response.writeHead(404).end() }
  }).listen(${HTTPS}, '::', () => console.log('ready'))`

/**
 * @param users - how many secrets there are.
 * @param binary - an nft that knows tokens.
 */
export async function openSite(users: number, binary: string): Promise<Site> {
  build()
  const folder = await mkdtemp(join(tmpdir(), 'knocklib-'))
  const parts: AsyncDisposable[] = []
  const dispose = async () => {
    for (const part of parts.reverse()) await part[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  }
  try {
    const names = Array.from({ length: users }, (_, index) => `user${index}`)
    const secrets = names.map((name) => `the secret & key of ${name}`)
    for (const [index, name] of names.entries()) {
      await writeFile(join(folder, name), `${secrets[index]}\n`, { mode: 0o600 })
    }
    const spec = doorOf([], {
      knock: {
        ...{
          type: 'token',
          carrier: 'stun',
          port: `udp/${KNOCK_PORT}`,
          period: 3600,
          horizon: '2h',
        },
        users: names.map((name) => ({ name, secretFile: join(folder, name) })),
      },
    })
    await writeFile(join(folder, 'doors.json'), JSON.stringify(spec))
    const setup = await ServiceSetup.open(spec, binary)
    parts.push(setup)
    const { client, server } = setup.pair
    for (const family of FAMILIES) {
      // Firefox sends from where the default route leads.
      const route = [`-${family}`, 'route', 'add', 'default', 'via', SERVER[family]]
      requireDone(await exec(client, 'ip', route))
      const file = join(folder, `door${family}.html`)
      const args = [
        ...['profile', join(folder, 'doors.json'), '--host', HOST, '--user', 'user0'],
        ...['--format', 'page', '--address', SERVER[family], '--output', file],
      ]
      requireDone(await exec(server, process.execPath, [CLI, ...args]))
    }
    parts.push(await serve(server, folder))
    return {
      ...{ house: setup, secrets },
      fileUrl: (family) => pathToFileURL(join(folder, `door${family}.html`)).href,
      httpsUrl: (family) => `https://${SERVER[4]}:${HTTPS}/door${family}.html`,
      emptyUrl: `https://${SERVER[4]}:${HTTPS}/`,
      requests: () => askedOf(server),
      [Symbol.asyncDispose]: dispose,
    }
  } catch (error) {
    await dispose()
    throw error
  }
}

function requireDone({ code, stderr }: Output): void {
  if (code !== 0) throw new Error(stderr)
}

async function serve(namespace: string, folder: string): Promise<AsyncDisposable> {
  const curve = [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-days',
    '2',
  ]
  const files = ['-keyout', join(folder, 'key'), '-out', join(folder, 'cert')]
  const args = ['req', '-x509', ...curve, '-subj', '/CN=server', ...files]
  requireDone(await exec(namespace, 'openssl', args))
  return startProgram(namespace, ['-e', SERVE, folder, compiled('portable')])
}

async function askedOf(namespace: string): Promise<string[]> {
  const code = `
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'
    require('node:https').get('https://127.0.0.1:${HTTPS}/requests', (r) => r.pipe(process.stdout))`
  const output = await exec(namespace, process.execPath, ['--no-warnings', '-e', code])
  requireDone(output)
  return JSON.parse(output.stdout)
}
