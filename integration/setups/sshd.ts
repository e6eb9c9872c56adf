// A real OpenSSH server and client with keys in a temporary folder, which is removed with them.
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { start } from '../machine/namespaces.js'

const run = promisify(execFile)

/** The path in Debian's package; sshd must be started by its full path. */
export const SSHD = '/usr/sbin/sshd'

export interface SshServer extends AsyncDisposable {
  /** ssh's options: only the test's key, only this server's key, no questions. */
  readonly options: readonly string[]
}

/**
 * Starts sshd inside a namespace, on a port of all its addresses.
 *
 * @param env - variables of those who log in, such as PATH. Default: as sshd has them.
 */
export async function startSshd(
  namespace: string,
  port: number,
  env: Readonly<Record<string, string>> = {},
): Promise<SshServer> {
  // sshd's unprivileged process needs this folder, which otherwise the service manager makes.
  mkdirSync('/run/sshd', { recursive: true, mode: 0o755 })
  const folder = await mkdtemp(join(tmpdir(), 'knocklib-ssh-'))
  const [hostKey, userKey] = [join(folder, 'host'), join(folder, 'user')]
  for (const key of [hostKey, userKey]) {
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', key])
  }
  const config = join(folder, 'sshd_config')
  const knownHosts = join(folder, 'known_hosts')
  const hostPublicKey = await readFile(`${hostKey}.pub`, 'utf8')
  await writeFile(knownHosts, `server ${hostPublicKey}`)
  const settings = serverConfig(port, hostKey, `${userKey}.pub`)
  const words = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  await writeFile(config, words.length === 0 ? settings : `${settings}SetEnv ${words.join(' ')}\n`)
  const child = start(namespace, SSHD, ['-D', '-e', '-f', config], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const ended = once(child, 'close')
  await untilListening(child)
  return {
    options: clientOptions(port, userKey, knownHosts),
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      await ended
      await rm(folder, { recursive: true })
    },
  }
}

function untilListening(child: ReturnType<typeof start>): Promise<void> {
  let log = ''
  return new Promise((resolve, reject) => {
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      log += text
      // sshd writes one such line for each family.
      if ((log.match(/Server listening on/g)?.length ?? 0) >= 2) resolve()
    })
    child.on('close', () => reject(new Error(`sshd has ended: ${log}`)))
  })
}

const serverConfig = (port: number, hostKey: string, authorizedKeys: string): string =>
  [
    `Port ${port}`,
    `HostKey ${hostKey}`,
    `AuthorizedKeysFile ${authorizedKeys}`,
    'AuthenticationMethods publickey',
    'PermitRootLogin yes',
    // All users can write the folder of temporary files, which StrictModes refuses.
    'StrictModes no',
    'UsePAM no',
    'UseDNS no',
    // Twenty that log in at once are none too many.
    'MaxStartups 100',
    'Subsystem sftp internal-sftp',
    'PidFile none',
    '',
  ].join('\n')

function clientOptions(port: number, userKey: string, knownHosts: string): string[] {
  const settings = {
    BatchMode: 'yes',
    ConnectTimeout: '2',
    HostKeyAlias: 'server',
    IdentitiesOnly: 'yes',
    StrictHostKeyChecking: 'yes',
    UserKnownHostsFile: knownHosts,
  }
  const options = Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`])
  return ['-F', 'none', '-i', userKey, '-p', String(port), ...options]
}
