// docs/protocol.md: its clients open the door of its spec, and its values are those of
// schemas/vectors.json.
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { build } from '../machine/built.js'
import { missing } from '../machine/capabilities.js'
import { sweep } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'
import { FAMILIES } from '../setups/service-setup.js'
import { Page } from './page.js'
import { PageSetup } from './page-setup.js'

const { versions, skip: lacks } = await versionsOrSkip()
const skip = lacks || missing('python3', 'openssl', 'nc', 'ssh')
/** The oldest that knows tokens. */
const nft = versions[1]?.path ?? ''
if (!skip) {
  sweep()
  build()
}

const page = new Page('protocol', 'docs/protocol.md')

t.test('the values on the page are right', async (t) => {
  const file = new URL('../../schemas/vectors.json', import.meta.url)
  const { tokens, datagrams, rotations } = JSON.parse(readFileSync(file, 'utf8'))
  const [token, datagram, rotation] = [tokens[0], datagrams[0], rotations[0]]
  const { ipv4, ipv6, text, time, number } = token
  t.equal(datagram.token, ipv4.udp)
  const shown = [
    ...[Buffer.from(token.secret, 'hex').toString(), text, String(time), String(number)],
    ...[`${ipv4.udp} ${ipv6.udp}`, `6000: ${ipv4.udp}\n`, `6000: ${ipv6.udp}\n`],
    ...[datagram.id, datagram.stun, datagram.dns, ipv4.stun, ipv4.dns],
    ...[rotation.text, rotation.sequence.join(' ')],
  ]
  for (const value of shown) t.ok(page.text.includes(value), value)
})

t.test('the clients on the page open the door', { skip }, async (t) => {
  await using setup = await PageSetup.open(page, { nft })
  // Shorter than a block, a block, and not ASCII.
  const secrets = { ana: 'Schlüssel für die Tür 🔑', ben: 'b'.repeat(64) }
  for (const [user, secret] of Object.entries(secrets)) {
    await writeFile(join(setup.folder, `${user}.key`), `${secret}\n`, { mode: 0o600 })
  }
  const knock = await setup.install()
  const clients = {
    ana: `python3 - <<'END'\n${page.block('client: python')}END`,
    ben: page.block('client: sh').replaceAll('ana.key', 'ben.key'),
  }
  for (const [user, lines] of Object.entries(clients)) {
    for (const family of FAMILIES) {
      t.ok(await setup.isShut(family), `${user}, IPv${family}: shut before`)
      await setup.atClient(lines, family)
      t.ok(await setup.logsIn(family), `${user}, IPv${family}: open`)
      await setup.revoke(family)
    }
  }
  const { ssh } = await knock.counters()
  t.match(ssh, { grants: 4, wrong: 0 })
  const left = page.left.filter((mark) => mark !== '')
  t.same(left, [], 'each client was run')
})
