// An address and a port → whether a connection gets there. Touches the network.
import { connect } from 'node:net'
import type { Way } from './packet.js'
import type { Answer } from './system.js'

/**
 * Tries a TCP connection, and closes it at once. A host that does not answer in time counts as
 * filtered, as does one that a router calls unreachable.
 *
 * @param time - milliseconds.
 */
export function probePort({ address, source }: Way, port: number, time: number): Promise<Answer> {
  return new Promise((resolve) => {
    const from = source === undefined ? {} : { localAddress: source }
    const socket = connect({ host: address, port, autoSelectFamily: false, ...from })
    const end = (answer: Answer) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(answer)
    }
    const timer = setTimeout(() => end('filtered'), time)
    socket.on('connect', () => end('open'))
    socket.on('error', ({ code }: NodeJS.ErrnoException) => {
      end(code === 'ECONNREFUSED' ? 'refused' : 'filtered')
    })
  })
}
