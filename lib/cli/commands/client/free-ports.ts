// The ports that this machine listens at → random knock ports at which nothing does. Reads /proc.
import { randomInt } from 'node:crypto'
import { readFile } from 'node:fs/promises'

/** Below the ports of outgoing connections (net.ipv4.ip_local_port_range begins at 32768). */
const PORTS = { from: 1024, to: 32767 } as const

/** How far two knock ports are apart at the least: a scan of neighbours is no knock. */
const APART = 16

/** How many steps a first sequence has. */
const LENGTH = 4

const TABLES = ['tcp', 'tcp6', 'udp', 'udp6'] as const

/** Finds the local ports that are in use (proc(5), /proc/net/tcp). Empty if there is no /proc. */
export async function portsInUse(): Promise<ReadonlySet<number>> {
  const texts = await Promise.all(
    TABLES.map((name) => readFile(`/proc/net/${name}`, 'utf8').catch(() => '')),
  )
  const found = texts.flatMap((text) => [...text.matchAll(/^ *\d+: [0-9A-F]+:([0-9A-F]{4}) /gm)])
  return new Set(found.map(([, hex = '0']) => Number.parseInt(hex, 16)))
}

/**
 * Chooses the steps of a sequence: TCP and UDP ports that are not in use, far apart, and neither in
 * ascending nor in descending order.
 */
export function chooseSteps(used: ReadonlySet<number>): string[] {
  const ports: number[] = []
  while (ports.length < LENGTH || isOrdered(ports)) {
    if (ports.length === LENGTH) ports.length = 0
    const port = choosePort(used)
    if (ports.every((other) => Math.abs(other - port) >= APART)) ports.push(port)
  }
  const first = randomInt(2)
  return ports.map((port, index) => `${(first + index) % 2 === 0 ? 'tcp' : 'udp'}/${port}`)
}

/** Chooses a port that is not in use. */
export function choosePort(used: ReadonlySet<number>): number {
  while (true) {
    const port = randomInt(PORTS.from, PORTS.to + 1)
    if (!used.has(port)) return port
  }
}

const isOrdered = (ports: readonly number[]): boolean => {
  const rises = ports.slice(1).map((port, index) => port > (ports[index] as number))
  return rises.every((rise) => rise) || rises.every((rise) => !rise)
}
