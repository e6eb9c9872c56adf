// Some of the contract's cases with the oldest nft on another machine, by ssh.
import t from 'tap'
import { runCases, TABLES } from '../contract/contract-cases.js'
import { missing } from '../machine/capabilities.js'
import { sweep } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'
import { SSHD } from '../setups/sshd.js'
import { RemoteHost } from './remote-host.js'

const { versions, skip: lacks } = await versionsOrSkip()
const skip = lacks || missing('ssh', 'ssh-keygen', SSHD)
if (!skip) sweep()

/** A call takes some ten times what it takes here; each of these uses other calls. */
const SOME =
  /^(installs|opens, renews|refuses what|leaves a table alone|stops|does all|checks|says what)/

t.test('the real one, by ssh', { skip }, async (t) => {
  const { version, path } = versions[0] as (typeof versions)[number]
  await using host = await RemoteHost.open({ binary: path })
  const nft = host.nft()
  t.equal(await nft.version(), version)
  const cases = Object.entries(TABLES).filter(([name]) => SOME.test(name))
  t.equal(cases.length, 8)
  await runCases(t, Object.fromEntries(cases), nft)
})
