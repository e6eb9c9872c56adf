// A NFLOG group → who has it, as /proc tells. Reads /proc of this process's network namespace.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

export interface GroupHolder {
  /** The socket's address in netlink. */
  readonly port: number
  /** The process with that socket, where this one may see it. */
  readonly process?: { readonly id: number; readonly name: string }
}

/** Undefined where nobody has it, or this process may not know. */
export function findGroupHolder(group: number): GroupHolder | undefined {
  const row = rowsOf('/proc/self/net/netfilter/nfnetlink_log').find(
    ([number]) => Number(number) === group,
  )
  if (!row) return undefined
  const port = Number(row[1])
  const process = findProcess(port)
  return { port, ...(process && { process }) }
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

function findProcess(port: number): GroupHolder['process'] {
  const row = rowsOf('/proc/self/net/netlink').find(
    ([, protocol, number]) => protocol === NETFILTER && Number(number) === port,
  )
  if (!row) return undefined
  const socket = `socket:[${row.at(-1)}]`
  const id = namesIn('/proc').find(
    (name) =>
      /^\d+$/.test(name) &&
      namesIn(`/proc/${name}/fd`).some((fd) => linkOf(`/proc/${name}/fd/${fd}`) === socket),
  )
  return id === undefined ? undefined : { id: Number(id), name: read(`/proc/${id}/comm`).trim() }
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
