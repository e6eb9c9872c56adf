// An NFLOG group → the process that holds it. Reads /proc in this process's network namespace.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

interface GroupHolder {
  /** The process to stop; absent if this process may not see it. */
  readonly process?: { readonly id: number; readonly name: string }
}

/** Finds the holder of a group; undefined if it is free, or if this process may not know. */
export function findGroupHolder(group: number, proc = '/proc'): GroupHolder | undefined {
  const row = rowsOf(`${proc}/self/net/netfilter/nfnetlink_log`).find(
    ([number]) => Number(number) === group,
  )
  if (!row) return undefined
  const id = findProcess(Number(row[1]), proc)
  if (id === undefined) return {}
  const own = starterOf(id, proc) ?? id
  return { process: { id: own, name: nameOf(own, proc) } }
}

const rowsOf = (path: string): string[][] =>
  read(path)
    .split('\n')
    .map((line) => line.trim().split(/\s+/))

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** Columns of /proc/net/netlink: address, protocol, port, groups, and the inode last. */
const NETFILTER = '12'

function findProcess(port: number, proc: string): number | undefined {
  const row = rowsOf(`${proc}/self/net/netlink`).find(
    ([, protocol, number]) => protocol === NETFILTER && Number(number) === port,
  )
  if (!row) return undefined
  const socket = `socket:[${row.at(-1)}]`
  const id = namesIn(proc).find(
    (name) =>
      /^\d+$/.test(name) &&
      namesIn(`${proc}/${name}/fd`).some((fd) => linkOf(`${proc}/${name}/fd/${fd}`) === socket),
  )
  return id === undefined ? undefined : Number(id)
}

/**
 * Returns the process that started a knocklib reader: ending only the reader would not help,
 * because it is restarted. Undefined if the process is not such a reader, or its starter is gone.
 */
function starterOf(id: number, proc: string): number | undefined {
  const isReader = read(`${proc}/${id}/cmdline`)
    .split('\0')
    .some((word) => word.endsWith('/log-reader.js'))
  const parent = Number(/^PPid:\s*(\d+)$/m.exec(read(`${proc}/${id}/status`))?.[1] ?? 0)
  return isReader && parent > 1 ? parent : undefined
}

const WORDS = 4
const LONGEST = 80

/**
 * Returns the first words of a process's command line. They are foreign text, so characters that a
 * terminal might obey are replaced.
 */
function nameOf(id: number, proc: string): string {
  const words = read(`${proc}/${id}/cmdline`).split('\0').slice(0, WORDS).join(' ').trim()
  const name = words === '' ? read(`${proc}/${id}/comm`).trim() : words
  return name.replace(/[^\x20-\x7e]/g, '?').slice(0, LONGEST)
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}
