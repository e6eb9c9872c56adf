// The changes of elements that nft and our own codec both encode, for a comparison. Data only.
import type { ElementDocument } from '../../lib/nft/document.js'
import { renderClose, renderOpen, renderUnban } from '../../lib/nft/transaction.js'
import type { Address } from '../../lib/spec/model/address.js'

const sources: readonly Address[] = [
  { family: 4, address: '203.0.113.7' },
  { family: 4, address: '10.0.0.255' },
  { family: 6, address: '2001:db8::7' },
]
const [first] = sources as [Address]
const ssh = { table: 'knock', grants: 'grants_ssh', used: ['used1_ssh'] }
const all = { table: 'knock', sources: [undefined], grants: 'grants_all', used: [] }

/** The changes by their names. They are made in this order, in one table. */
export const DOCUMENTS: Readonly<Record<string, ElementDocument>> = {
  open: renderOpen({ ...ssh, sources }, 600),
  'open one': renderOpen({ ...ssh, used: [], sources: [first] }, 31_536_000),
  'open for everyone': renderOpen(all, 1),
  close: renderClose({ ...ssh, sources }),
  'close who is not there': renderClose({ ...ssh, sources: [first] }),
  'close for everyone': renderClose(all),
  'unban who is not banned': renderUnban({ table: 'knock' }, first, 'banned'),
}
