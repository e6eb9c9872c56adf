// /proc/meminfo → the kernel's own memory.
import { readFile } from 'node:fs/promises'

/**
 * Reads the kernel's own memory in MiB, without what it can reclaim. Other work of the machine is
 * included.
 */
export async function kernelMemory(): Promise<number> {
  const text = await readFile('/proc/meminfo', 'utf8')
  const kib = (name: string) => Number(new RegExp(`^${name}: +(\\d+)`, 'm').exec(text)?.[1] ?? 0)
  return (kib('SUnreclaim') + kib('Percpu') + kib('VmallocUsed')) / 1024
}
