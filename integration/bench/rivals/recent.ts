// A number of doors → rules for iptables' match `recent`, through either of iptables' back ends.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exec } from '../../machine/namespaces.js'
import type { Rival } from '../rounds.js'
import { firstPort, servicePort } from '../specs.js'

export type Backend = 'nft' | 'legacy'
export const BACKENDS: readonly Backend[] = ['nft', 'legacy']

interface Ports {
  readonly service: number
  readonly steps: readonly [number, number, number]
}

/** The usual recipe: a list for each stage, and one rule for each step and for the service. */
function rulesOf({ service, steps: [first, second, third] }: Ports, index: number): string {
  const list = (stage: number, parts: string) => `-m recent --name d${index}_${stage} ${parts}`
  const within = (stage: number, seconds: number) => list(stage, `--rcheck --seconds ${seconds}`)
  return `-A INPUT -p tcp --dport ${first} ${list(1, '--set')} -j DROP
-A INPUT -p tcp --dport ${second} ${within(1, 5)} ${list(2, '--set')} -j DROP
-A INPUT -p tcp --dport ${third} ${within(2, 5)} ${list(3, '--set')} -j DROP
-A INPUT -p tcp --dport ${service} ${within(3, 30)} -j ACCEPT
-A INPUT -p tcp --dport ${service} -j DROP
`
}

function restore(backend: Backend, rules: string): Rival['install'] {
  return async (server) => {
    const folder = await mkdtemp(join(tmpdir(), 'knocklib-bench-'))
    try {
      const file = join(folder, 'rules')
      const first = '-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT'
      const text = `*filter\n:INPUT ACCEPT [0:0]\n${first}\n${rules}COMMIT\n`
      await writeFile(file, text, { mode: 0o600 })
      // `-w` waits for iptables' lock, which all namespaces share.
      const options = backend === 'legacy' ? ['-w', '60'] : []
      const program = `iptables-${backend}-restore`
      const { code, stderr } = await exec(server, program, [...options, file])
      if (code !== 0) throw new Error(`${program}: ${stderr.trim()}`)
      return undefined
    } finally {
      await rm(folder, { recursive: true })
    }
  }
}

/** A number of doors, with the ports that knocklib's have. */
export function recentDoors(backend: Backend, count: number): Rival {
  const rules = Array.from({ length: count }, (_, index) => {
    const first = firstPort(index)
    const steps = [first, first + 1, first + 2] as const
    return rulesOf({ service: servicePort(index), steps }, index)
  })
  return {
    name: `iptables recent, ${backend}`,
    x: count,
    needs: [`iptables-${backend}-restore`],
    // The cost grows with the rules. A run of a few packets shows it as well.
    share: Math.min(1, 20 / count),
    install: restore(backend, rules.join('')),
  }
}

/** One door before tcp/22 that 7000, 8000 and 9000 open. What `last` says comes after its rules. */
export const recentDoor = (backend: Backend, last = ''): Rival => ({
  name: `iptables recent, ${backend}`,
  needs: [`iptables-${backend}-restore`],
  install: restore(backend, rulesOf({ service: 22, steps: [7000, 8000, 9000] }, 0) + last),
})

/** One door, and no other TCP port that answers. */
export const recentHost = (backend: Backend): Rival => recentDoor(backend, '-A INPUT -j DROP\n')
