// A valid spec and the namespace's other tables → a note if nothing else keeps the services closed.
// Asks nft.
import { familiesWithoutPolicy } from '../host/judge-closing.js'
import type { Note, ValidSpec } from '../spec/model/model.js'
import { type KernelOptions, resolveCall } from './call.js'

/** Milliseconds that nft may take. A note is not worth a longer wait. */
const PATIENCE = 1000

/**
 * Returns a note if the services would be open without the doors' table. Returns none if nft cannot
 * list the chains.
 */
export async function closingNotes(spec: ValidSpec, options: KernelOptions = {}): Promise<Note[]> {
  const { nft, call } = resolveCall(options, 'closingNotes')
  const listing = await nft.listChains?.({ ...call, timeout: PATIENCE }).catch(() => undefined)
  const families = familiesWithoutPolicy(listing, spec)
  if (families.length === 0) return []
  const whose = families.length === 2 ? '' : ` for IPv${families[0]}`
  const message =
    `no other table has a base chain with policy drop where these packets end${whose}. ` +
    'While this table is gone (after a flush, or before it stands at boot), the ' +
    'services are open, unless rules elsewhere drop the packets. ' +
    'A firewall that accepts only what bears the mark of a grant (open.mark) keeps them closed'
  return [{ path: '/doors', message }]
}
