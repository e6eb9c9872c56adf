// The contract's cases with grants and bans through netlink: those of elements in tables that each
// version of nft made, those of whole tables with the newest.
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { createPair } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'

const { versions, skip } = await versionsOrSkip()

const newest = versions.at(-1)

t.test('netlink', { skip }, async (t) => {
  for (const { version, path } of versions) {
    await using pair = await createPair()
    // Netlink reaches only the namespace of its own process.
    const inside = fileURLToPath(new URL('contract-inside.ts', import.meta.url))
    const node = [
      process.execPath,
      ...process.execArgv,
      inside,
      path,
      path === newest?.path ? 'all' : 'elements',
    ]
    const args = [`--net=/run/netns/${pair.server}`, ...node]
    await t.spawn('nsenter', args, {}, `in tables of nft ${version}`)
  }
})
