// Failures of a real nft → a clear error for each: no permission, somebody else's table, no
// namespace.
import t from 'tap'
import { attachKnock, checkKnock, createNft, installKnock } from '../../../lib/index.js'
import { createPair } from '../../machine/namespaces.js'
import { versionsOrSkip } from '../../machine/nft-versions.js'
import { failureOf, pretend, SPEC } from './pretend.js'

const { versions, skip } = await versionsOrSkip()

t.test('a missing CAP_NET_ADMIN is reported', { skip }, async (t) => {
  await using pair = await createPair()
  const nft = await pretend(
    t,
    `exec setpriv --bounding-set -net_admin --inh-caps -net_admin ${versions[0]?.path} "$@"`,
  )
  const error = await failureOf(
    installKnock(SPEC, { nft: createNft({ binary: nft, netns: pair.server }) }),
  )
  t.equal(error.code, 'not-permitted')
  t.match(error.message, /needs CAP_NET_ADMIN/)
})

t.test('an old nft reads a table of a newer one', { skip }, async (t) => {
  await using pair = await createPair()
  const [old, , newest] = versions
  const newer = createNft({ binary: newest?.path ?? '', netns: pair.server })
  await installKnock(SPEC, { nft: newer })
  const older = createNft({ binary: old?.path ?? '', netns: pair.server })
  const error = await failureOf(attachKnock({ nft: older }))
  t.equal(error.code, 'nft-crashed')
  t.match(error.message, /use one version per namespace/)
  const status = await (await attachKnock({ nft: newer })).status()
  t.equal(status.doors.length, 1, 'the table has not changed')
})

t.test('a missing namespace is reported', { skip }, async (t) => {
  const nft = createNft({ netns: 'knl-no-such-namespace' })
  const message = /network namespace knl-no-such-namespace: .*: ip netns list shows/
  await t.rejects(attachKnock({ nft }), { code: 'missing-capability', message })
})

for (const { version, path } of versions) {
  t.test(`nft ${version} reads a document anywhere`, { skip }, async (t) => {
    await using pair = await createPair()
    const old = version.startsWith('1.0.')
    // Nothing under /proc can be opened, as if SELinux confined nft.
    const confined = await pretend(
      t,
      `exec unshare -m sh -c 'mount -t tmpfs none /proc && exec "$0" "$@"' ${path} "$@"`,
    )
    const folder = process.env['TMPDIR']
    const restore = () => {
      if (folder === undefined) delete process.env['TMPDIR']
      else process.env['TMPDIR'] = folder
    }
    t.teardown(restore)
    const places = [
      { binary: path, isDiskless: false },
      { binary: path, isDiskless: true },
      { binary: confined, isDiskless: false },
      { binary: confined, isDiskless: true },
    ]
    for (const { binary, isDiskless } of places) {
      const name = `${binary === path ? '/proc' : 'no /proc'}, ${isDiskless ? 'no ' : ''}disk`
      if (isDiskless) process.env['TMPDIR'] = '/nonexistent'
      const nft = createNft({ binary, netns: pair.server })
      const isLost = old && isDiskless && binary === confined
      if (isLost) {
        const error = { code: 'missing-capability', message: /nft cannot read what it is given/ }
        await t.rejects(checkKnock(SPEC, { nft }), error, name)
      } else {
        await checkKnock(SPEC, { nft })
        const knock = await installKnock(SPEC, { nft })
        const unknown = { add: { table: { family: 'none' as 'inet', name: 'knock' } } }
        await t.rejects(nft.check({ nftables: [unknown] }), { code: 'rejected' }, name)
        await knock.uninstall()
      }
      restore()
    }
    const gone = createNft({ binary: path, netns: pair.server })
    const command = { delete: { table: { family: 'inet', name: 'knock' } } } as const
    const message = /^nft: table inet knock: not there$/
    await t.rejects(gone.apply({ nftables: [command] }), { code: 'not-found', message })
  })
}
