// What the daemons that set this machine's clock say of themselves → whether it is synchronised.
// Reads one folder and asks over loopback; starts no process.
import { createSocket } from 'node:dgram'
import { stat } from 'node:fs/promises'

/** Whether the clock is synchronised, and which daemon says so. */
export interface Synchronised {
  /** `unknown`: no daemon was found that says it. */
  readonly synchronised: 'yes' | 'no' | 'unknown'
  /** Absent if nothing is known. */
  readonly by?: 'systemd-timesyncd' | 'chronyd' | 'an NTP server'
}

interface Places {
  readonly folder: string
  readonly chronyPort: number
  readonly ntpPort: number
}

/**
 * systemd-timesyncd has this folder while it runs, with a file from the first synchronisation on
 * (systemd-timesyncd.service(8)). chronyd and NTP servers have ports that IANA gave them.
 */
const PLACES: Places = { folder: '/run/systemd/timesync', chronyPort: 323, ntpPort: 123 }

/**
 * Asks the daemons. The kernel knows it too (adjtimex), but tells it through a system call that
 * Node does not have. Never rejects.
 */
export async function readSynchronised(places: Partial<Places> = {}): Promise<Synchronised> {
  const { folder, chronyPort, ntpPort } = { ...PLACES, ...places }
  if (await isThere(`${folder}/synchronized`))
    return { synchronised: 'yes', by: 'systemd-timesyncd' }
  const [chrony, ntp] = await Promise.all([
    ask(chronyPort, trackingRequest()).then((answer) => answer && readTracking(answer)),
    ask(ntpPort, clientRequest()).then((answer) => answer && readServer(answer)),
  ])
  if (chrony !== undefined) return { synchronised: chrony ? 'yes' : 'no', by: 'chronyd' }
  if (ntp !== undefined) return { synchronised: ntp ? 'yes' : 'no', by: 'an NTP server' }
  if (await isThere(folder)) return { synchronised: 'no', by: 'systemd-timesyncd' }
  return { synchronised: 'unknown' }
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )

/** Milliseconds for an answer. If nobody listens, the kernel says so at once. */
const PATIENCE = 200

/** Sends a datagram to a port of this machine; undefined if no answer comes. */
function ask(port: number, request: Uint8Array): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4')
    let isOver = false
    const end = (answer?: Buffer) => {
      if (isOver) return
      isOver = true
      clearTimeout(timer)
      socket.close()
      resolve(answer)
    }
    const timer = setTimeout(end, PATIENCE)
    socket.on('error', () => end())
    socket.on('message', (answer) => end(answer))
    socket.connect(port, '127.0.0.1', () => socket.send(request))
  })
}

/** The leap indicator of a clock that is not synchronised, in both protocols. */
const UNSYNCHRONISED = 3

/** chronyd's request for its tracking, protocol 6 (candm.h): as long as its answer. */
const TRACKING = { protocol: 6, request: 1, reply: 2, command: 33, report: 5, length: 104 } as const

function trackingRequest(): Buffer {
  const bytes = Buffer.alloc(TRACKING.length)
  bytes.writeUInt8(TRACKING.protocol, 0)
  bytes.writeUInt8(TRACKING.request, 1)
  bytes.writeUInt16BE(TRACKING.command, 4)
  return bytes
}

/** Whether chronyd has its clock synchronised; undefined if the answer is another one. */
function readTracking(answer: Buffer): boolean | undefined {
  if (answer.length < TRACKING.length) return undefined
  const isReply =
    answer.readUInt8(0) === TRACKING.protocol && answer.readUInt8(1) === TRACKING.reply
  const isReport = answer.readUInt16BE(6) === TRACKING.report && answer.readUInt16BE(8) === 0
  // Behind 28 bytes of a header: a reference, an address, and the stratum.
  return isReply && isReport ? answer.readUInt16BE(54) !== UNSYNCHRONISED : undefined
}

/** RFC 5905, section 7.3: version 4, and the modes of clients and servers. */
const NTP = { length: 48, client: (4 << 3) | 3, server: 4 } as const

const clientRequest = (): Buffer => Buffer.concat([Buffer.of(NTP.client)], NTP.length)

/** Whether an NTP server is synchronised itself; undefined if the answer is another one. */
function readServer(answer: Buffer): boolean | undefined {
  if (answer.length < NTP.length) return undefined
  const [first = 0, stratum = 0] = answer
  if ((first & 7) !== NTP.server) return undefined
  return first >> 6 !== UNSYNCHRONISED && stratum > 0 && stratum < 16
}
