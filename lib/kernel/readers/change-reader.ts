// The process that reads nftables' notifications: `node change-reader.js`. Touches the kernel;
// started by reader.ts alone.
//
// Not the one that reads NFLOG: a large transaction by anybody overflows a small receive buffer,
// which ends this process; then the tables are listed anew, and no packet's event is lost by that.
import { parseSetName } from '../../automaton/language/names.js'
import type { NetlinkError } from '../../errors.js'
import { parseFamilySet } from '../../nft/names.js'
import { NETFILTER, openSocket } from '../netlink/socket.js'
import { parseMessages } from '../netlink/wire.js'
import { CHANGES_GROUP, ChangeCollector } from './changes.js'
import { fail, RECEIVE_BUFFER, runReader } from './reader-process.js'
import type { ChangedRecord } from './records.js'

/** The kernel joins a transaction's messages up to a page. */
const MESSAGE_SIZE = 8192
/** Records that wait while nobody reads. One record can have thousands of elements. */
const MOST_WAITING = 256

const isGrants = (name: string): boolean =>
  parseSetName(parseFamilySet(name)?.set ?? '')?.role.kind === 'grants'

await runReader(async (output) => {
  const collector = new ChangeCollector(isGrants)
  const socket = await openSocket(
    {
      operation: 'watch',
      protocol: NETFILTER,
      messageSize: MESSAGE_SIZE,
      receiveBuffer: RECEIVE_BUFFER,
    },
    {
      message(bytes: Uint8Array) {
        for (const message of parseMessages(bytes)) {
          for (const changed of collector.take(message)) {
            const record: ChangedRecord = { changed, at: Date.now() }
            output.report(record)
          }
        }
      },
      failed: (error: NetlinkError) => fail(output, error),
    },
  )
  socket.join(CHANGES_GROUP)
  output.report({ ready: true })
  return undefined
}, MOST_WAITING)
