// The name of a capability → whether the machine has it. Tests skip without it; in CI that is a
// failure.
import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, resolve } from 'node:path'
import { NFT } from './namespaces.js'

/** Programs with an argument with which each ends at once. */
const PROGRAMS: readonly (readonly [name: string, args: readonly string[]])[] = [
  ['ip', ['-V']],
  ['nsenter', ['--version']],
  ['perl', ['-v']],
  [NFT, ['--version']],
]

/**
 * What a kernel may lack, each with a command that needs it, in a network namespace that ends with
 * it.
 */
const KERNEL: Readonly<Record<string, readonly string[]>> = {
  xt_recent: ['iptables', '-A', 'INPUT', '-m', 'recent', '--set'],
}

/**
 * The reason to skip what needs namespaces, nft and perhaps more programs or parts of the kernel,
 * or false.
 *
 * @throws Error in CI, where nothing may be missing.
 */
export function missing(...more: readonly string[]): string | false {
  const lacks = [
    ...(process.getuid?.() === 0 ? [] : ['root']),
    ...PROGRAMS.filter(([name, args]) => spawnSync(name, args).status !== 0).map(([name]) => name),
    ...more.filter((name) => !(KERNEL[name] ? isInKernel(KERNEL[name]) : isOnPath(name))),
  ]
  return reasonOf(lacks)
}

/**
 * The reason to skip what needs programs alone, and no root, or false.
 *
 * @throws Error in CI, where nothing may be missing.
 */
export const missingPrograms = (...names: readonly string[]): string | false =>
  reasonOf(names.filter((name) => !isOnPath(name)))

function reasonOf(lacks: readonly string[]): string | false {
  if (lacks.length === 0) return false
  const reason = `missing capability: ${lacks.join(', ')}`
  if (process.env['CI'] === 'true') throw new Error(reason)
  console.error(`SKIPPED, ${reason}`)
  return reason
}

/** Most of the programs that knock have no argument with which they end well. */
function isOnPath(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(resolve(folder, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

const isInKernel = (command: readonly string[]): boolean =>
  spawnSync('unshare', ['--net', ...command]).status === 0
