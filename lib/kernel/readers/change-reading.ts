// nftables' notifications → a record for each change of a table. Reads a netlink socket, in a
// process of its own.
//
// It is not the process that reads NFLOG. A large transaction by anybody overflows a small receive
// buffer, which ends the process. Then the tables are listed again, and no packet's event is lost.
import { parseSetName } from '../../automaton/language/names.js'
import { type Clock, systemClock } from '../../clock/clock.js'
import { hasPort, parseFamilySet } from '../../nft/names.js'
import { NETFILTER, type OpenSocket, openSocket } from '../netlink/socket.js'
import { parseMessages } from '../netlink/wire.js'
import { CHANGES_GROUP, ChangeCollector } from './changes.js'
import type { ReaderOutput } from './reader-output.js'
import { fail, RECEIVE_BUFFER } from './reader-process.js'
import type { ChangedRecord } from './records.js'

/** The kernel joins a transaction's messages up to a page. */
const MESSAGE_SIZE = 8192
/** Records that wait while nobody reads. One record can have thousands of elements. */
export const MOST_WAITING = 256

interface Parts {
  readonly open?: OpenSocket
  readonly clock?: Clock
}

const isGrants = (name: string): boolean =>
  hasPort(name) || parseSetName(parseFamilySet(name)?.set ?? '')?.role.kind === 'grants'

/** Reports each change from now on. @throws NetlinkError `socket` */
export async function readChanges(output: ReaderOutput, parts: Parts = {}): Promise<undefined> {
  const { open = openSocket, clock = systemClock } = parts
  const collector = new ChangeCollector(isGrants)
  const listener = {
    message(bytes: Uint8Array) {
      for (const message of parseMessages(bytes)) {
        for (const changed of collector.take(message)) {
          const record: ChangedRecord = { changed, at: clock.date() }
          output.report(record)
        }
      }
    },
    failed: (error: Error) => fail(output, error),
  }
  const socket = await open(
    {
      operation: 'watch',
      protocol: NETFILTER,
      messageSize: MESSAGE_SIZE,
      receiveBuffer: RECEIVE_BUFFER,
    },
    listener,
  )
  socket.join(CHANGES_GROUP)
  output.report({ ready: true })
}
