// What the tests need of the machine → whether it is there, by name. A machine without it skips them; CI must have it all.
import { spawnSync } from 'node:child_process'
import { NFT } from './namespaces.js'

/** Programs with an argument with which each ends at once. */
const PROGRAMS: readonly (readonly [name: string, args: readonly string[]])[] = [
  ['ip', ['-V']],
  ['nsenter', ['--version']],
  ['perl', ['-v']],
  [NFT, ['--version']],
]

/**
 * The reason to skip what needs namespaces and nft, or false.
 *
 * @throws Error in CI, where nothing may be missing.
 */
export function missing(): string | false {
  const lacks = [
    ...(process.getuid?.() === 0 ? [] : ['root']),
    ...PROGRAMS.filter(([name, args]) => spawnSync(name, args).status !== 0).map(([name]) => name),
  ]
  if (lacks.length === 0) return false
  const reason = `missing capability: ${lacks.join(', ')}`
  if (process.env['CI'] === 'true') throw new Error(reason)
  console.error(`SKIPPED, ${reason}`)
  return reason
}
