// Hosts → changes of a set of grants, for tests of netlink. Pure.
import { renderOpen } from '../../lib/nft/transaction.js'

export const set = { table: 'knock', set: 'grants_ssh_4' }

export const change = (...hosts: number[]) => {
  const sources = hosts.map((host) => ({ family: 4, address: `10.0.0.${host}` }) as const)
  return { table: 'knock', sources, grants: 'grants_ssh', used: [] }
}

export const open = (...hosts: number[]) => renderOpen(change(...hosts), 60)

export const later = () => new Promise((resolve) => setImmediate(resolve))
