// The name of a capability → whether the machine has it. Tests skip without it; in CI that is a
// failure.
import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, resolve } from 'node:path'
import { NFT } from './namespaces.js'

/** Programs, each with an argument with which it ends at once. */
const PROGRAMS: readonly (readonly [name: string, args: readonly string[]])[] = [
  ['ip', ['-V']],
  ['nsenter', ['--version']],
  ['perl', ['-v']],
  [NFT, ['--version']],
]

/**
 * Parts that a kernel may lack, each with a command that needs it. The command runs in a network
 * namespace of its own.
 */
const KERNEL: Readonly<Record<string, readonly string[]>> = {
  xt_recent: ['iptables', '-A', 'INPUT', '-m', 'recent', '--set'],
}

/**
 * Returns why to skip a test that needs namespaces, nft and perhaps more programs or parts of the
 * kernel; false if nothing is missing.
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
 * Returns why to skip a test that needs only programs and no root; false if none is missing.
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

/** Looks for a program without running it: most that knock have no argument that does nothing. */
export function isOnPath(program: string): boolean {
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
