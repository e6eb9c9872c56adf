// A real OpenSSH behind a door: refused before the knock, a login after it, and a session that
// outlives the grant.
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { createNft, installKnock } from '../../lib/index.js'
import { missing } from '../machine/capabilities.js'
import { createPair, exec, type Pair, SERVER, start, sweep } from '../machine/namespaces.js'
import { doorOf, FAMILIES, PORT } from '../setups/service-setup.js'
import { SSHD, type SshServer, startSshd } from '../setups/sshd.js'

const skip = missing('knock', 'ssh', 'ssh-keygen', SSHD)
if (!skip) sweep()

const SPEC = doorOf(['tcp/7000', 'udp/8000', 'tcp/9000'], { open: { for: '4s' } })

const login = ({ client }: Pair, { options }: SshServer, host: string) =>
  exec(client, 'ssh', [...options, `root@${host}`, 'echo "you are $(id -un)"'])

/** An SSH session whose other end echoes each line. */
class Session implements AsyncDisposable {
  readonly #process
  readonly #closed

  constructor({ client }: Pair, { options }: SshServer, host: string) {
    const args = [...options, `root@${host}`, 'cat']
    this.#process = start(client, 'ssh', args, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#closed = once(this.#process, 'close')
  }

  async report(text: string): Promise<string> {
    const answer = once(this.#process.stdout as NodeJS.ReadableStream, 'data')
    this.#process.stdin?.write(text)
    const [said] = await Promise.race([answer, this.#closed.then(() => ['closed'])])
    return String(said)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.stdin?.end()
    await this.#closed
  }
}

t.jobs = 2

for (const family of FAMILIES) {
  t.test(`OpenSSH logs in over IPv${family} after a knock`, { skip, buffered: true }, async (t) => {
    await using pair = await createPair()
    await using server = await startSshd(pair.server, PORT)
    const nft = createNft({ netns: pair.server })
    await using knock = await installKnock(SPEC, { nft })
    const host = SERVER[family]

    const before = await login(pair, server, host)
    t.equal(before.code, 255)
    t.match(before.stderr, /Connection timed out/, 'ssh times out before the knock')

    const ports = ['7000', '8000:udp', '9000']
    await exec(pair.client, 'knock', [`-${family}`, '-d', '50', host, ...ports])
    const after = await login(pair, server, host)
    t.same(after, { code: 0, stdout: 'you are root\n', stderr: '' }, 'ssh logs in after the knock')

    await using session = new Session(pair, server, host)
    t.equal(await session.report('one'), 'one', 'a session is open')
    while ((await knock.door('service').grants()).length > 0) await sleep(100)
    t.equal(await session.report('two'), 'two', 'the session answers after the grant has expired')

    const late = await login(pair, server, host)
    t.match(late.stderr, /Connection timed out/, 'a new session is refused')
    t.equal(await session.report('three'), 'three', 'the old session still answers')
  })
}
