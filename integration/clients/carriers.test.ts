// Clients of name servers, and our own: each opens a door with the token of its family, and what it
// sends again is no strike.
import { writeFile } from 'node:fs/promises'
import t from 'tap'
import type { Family } from '../../lib/spec/model/packet-model.js'
import { build, CLI } from '../machine/built.js'
import { missing } from '../machine/capabilities.js'
import { SERVER, sweep } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'
import { FAMILIES } from '../setups/service-setup.js'
import { SECRET, TokenSetup } from '../setups/token-setup.js'

const { versions, skip: lacks } = await versionsOrSkip()
const skip = lacks || missing('nc', 'openssl', 'nslookup', 'dig', 'host')
if (!skip) {
  sweep()
  build()
}
/** The newest: the kernel's part is tried with each elsewhere. */
const binary = versions.at(-1)?.path ?? ''

/** Long enough that no test sees its end. */
const PERIOD = 3600
const PORTS = { dns: 5300, stun: 3478 } as const

/** Base32 of a half's first ten bytes, made by other programs than ours. */
const NAME = `printf 'knocklib/1 service %s' $(( $(date +%s) / ${PERIOD} )) |
  openssl dgst -sha256 -hmac "$SECRET" -binary | $HALF -c 16 | head -c 10 | base32 | tr A-Z a-z`

interface Client {
  readonly name: string
  readonly carrier: keyof typeof PORTS
  send(setup: TokenSetup, family: Family): Promise<unknown>
}

/** A line of the shell, in which $name is the token's text and $host the server's address. */
const ask = (name: string, line: string): Client => ({
  name,
  carrier: 'dns',
  send(setup, family) {
    const half = family === 4 ? 'head' : 'tail'
    const script = `SECRET=$1 HALF=${half} host=$2; name=$(${NAME}); ${line}`
    return setup.base.run('bash', '-c', script, 'bash', SECRET, SERVER[family])
  },
})

const own = (carrier: Client['carrier']): Client => ({
  name: `knocklib knock, ${carrier}`,
  carrier,
  async send(setup, family) {
    const port = `udp/${PORTS[carrier]}`
    const secretFile = setup.file('secret')
    const token = { door: 'service', port, carrier, secretFile, period: PERIOD }
    const file = setup.file('profile.json')
    await writeFile(file, JSON.stringify({ token }), { mode: 0o600 })
    for (const _ of [1, 2]) {
      const command = [CLI, 'knock', SERVER[family], '--profile', file]
      const { stderr } = await setup.base.run(process.execPath, ...command)
      if (stderr) throw new Error(stderr)
    }
  },
})

const CLIENTS: readonly Client[] = [
  ask('nslookup, three times', 'nslookup -timeout=1 -retry=2 -port=5300 $name. $host'),
  ask('nslookup with a suffix', 'nslookup -timeout=1 -retry=1 -port=5300 $name.lan. $host'),
  ask('dig, three times', 'dig +time=1 +tries=3 -p 5300 @$host $name.'),
  ask(
    'dig without EDNS, for another type',
    'dig +time=1 +tries=1 +noedns -p 5300 @$host TXT $name.',
  ),
  ask('host', 'host -W 1 -R 1 -p 5300 $name. $host'),
  own('dns'),
  own('stun'),
]

t.jobs = 4

for (const { name, carrier, send } of CLIENTS) {
  t.test(name, { skip, buffered: true }, async (t) => {
    await using setup = await TokenSetup.open({
      binary,
      token: { carrier, port: PORTS[carrier], period: PERIOD, horizon: '3h' },
      door: { open: { for: '60s', connections: 1 } },
      parts: { guard: { ban: { after: 1, within: 600, for: 600 } } },
    })
    const { base } = setup
    for (const family of FAMILIES) {
      t.equal(await base.answers(family), false, `IPv${family}: closed before`)
      await send(setup, family)
      t.equal(await base.answers(family), true, `IPv${family}: open after`)
      await send(setup, family)
      t.equal(await base.answers(family), false, `IPv${family}: the same token opens nothing again`)
    }
    t.match(
      await base.counters(),
      { knocks: 2, grants: 2, wrong: 0 },
      'a repeated token is not counted as wrong',
    )
    t.same(await base.knock.bans(), [])
  })
}
