// A configuration → Debian's knockd at a server, until it is disposed of.
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CABLE, start } from '../machine/namespaces.js'
import type { Peer } from './peer.js'
import { ESTABLISHED, iptablesRules } from './recent.js'

const RULES = iptablesRules(`
  ${ESTABLISHED}
  -A INPUT -p tcp --dport 22 -j DROP
`)

const door = (name: string, sequence: string, change: '-I' | '-D'): string => `
[${name}]
  sequence    = ${sequence}
  seq_timeout = 5
  tcpflags    = syn
  command     = iptables -w ${change} INPUT -s %IP% -p tcp --dport 22 -j ACCEPT
`

const CONFIGURATION = [
  door('openSSH', '7000,8000,9000', '-I'),
  door('closeSSH', '9000,8000,7000', '-D'),
].join('')

/** knockd with one sequence that opens the service for its source, and one that closes it. */
export const OPEN_AND_CLOSE: Peer = {
  mixesSources: true,
  async install(server) {
    await RULES.install(server)
    return await runKnockd(server, CONFIGURATION)
  },
}

/** Starts knockd with a configuration. Resolves when it listens. */
export async function runKnockd(server: string, configuration: string): Promise<AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), 'knocklib-knockd-'))
  try {
    const file = join(folder, 'knockd.conf')
    await writeFile(file, configuration, { mode: 0o600 })
    return await startKnockd(server, ['-c', file, '-p', join(folder, 'pid')])
  } finally {
    // knockd has read its configuration by now.
    await rm(folder, { recursive: true })
  }
}

async function startKnockd(server: string, args: readonly string[]): Promise<AsyncDisposable> {
  // If a signal ends this process, the kernel ends knockd.
  const program = ['--pdeathsig', 'TERM', 'knockd', '-v', '-i', CABLE, ...args]
  const child = start(server, 'setpriv', program, { stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = once(child, 'close')
  await untilListening(child)
  return {
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      await ended
    },
  }
}

function untilListening(child: ReturnType<typeof start>): Promise<void> {
  let log = ''
  return new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        log += text
        if (log.includes('listening on')) resolve()
      })
    }
    child.on('close', () => reject(new Error(`knockd has ended: ${log}`)))
  })
}
