// An `Nft`, for work that reads this machine's kernel → an error if it is on another machine. Pure.
import { CapabilityError } from '../errors.js'
import type { Nft } from './nft.js'

/** @throws CapabilityError if nft is on another machine, whose events cannot be read from here. */
export function requireHere({ host }: Nft, operation: string): void {
  if (host === undefined) return
  const provider = `run knocklib ${operation === 'watch' ? 'watch' : 'run'} on ${host} itself`
  throw new CapabilityError(operation, `the events of another machine, ${host}`, provider)
}
