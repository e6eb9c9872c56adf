// One shot → one packet on the wire. Touches the network.
import { execFile } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import type { Shot } from '../../automaton/language/client-kind.js'
import { CapabilityError, SendError } from '../../errors.js'
import type { Address } from '../../spec/model/address.js'
import { pingCommand, unanswered } from './ping.js'
import type { Leaving } from './system.js'

/** Where a packet goes, and the address that it leaves from. */
export interface Way extends Address {
  readonly source?: string | undefined
}

/** Milliseconds in which a SYN has left on a machine that is not busy. */
const SYN_LEAVES = 5

/**
 * How long a SYN needs to leave: long enough for a busy machine, far from the second one after 1 s.
 */
const SYN_TIME = 50

/** How long a program may take to send an echo request; then it is ended. */
const ECHO_TIME = 1000

/** Both promises fail with a CapabilityError if ping is missing, a SendError if it is refused. */
export function sendShot(shot: Shot, way: Way): Leaving {
  const send = { tcp: sendSyn, udp: sendDatagram, icmp: sendEcho, icmpv6: sendEcho }
  const over = send[shot.step.protocol](shot, way).catch((cause) => {
    if (cause instanceof CapabilityError) throw cause
    const message = `sendKnock: ${way.address} ${shot.label}: ${reasonOf(cause, shot)}`
    throw new SendError(message, shot.isSecret ? {} : { cause })
  })
  const isSyn = shot.step.protocol === 'tcp'
  return { over, left: isSyn ? Promise.race([over, pause(SYN_LEAVES)]) : over }
}

const pause = (time: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, time))

/** The system's words name the port: for one that is a secret the code alone is shown. */
function reasonOf(cause: unknown, { isSecret }: Shot): string {
  const { message, code } = cause as NodeJS.ErrnoException
  return isSecret ? (code ?? 'the network refuses the packet') : message
}

/** What a port answers that is not a knock port: that the packet came is all that we want. */
const ANSWERS = new Set(['ECONNREFUSED', 'ECONNRESET', 'EHOSTUNREACH', 'ETIMEDOUT'])

function sendSyn({ step }: Shot, { address: host, source }: Way): Promise<void> {
  return new Promise((resolve, reject) => {
    const from = source === undefined ? {} : { localAddress: source }
    const socket = connect({ host, port: step.port ?? 0, autoSelectFamily: false, ...from })
    // Closed before its SYN is repeated, and not before it has left: a close in the same tick sends
    // none.
    const timer = setTimeout(() => socket.destroy(), SYN_TIME)
    let failure: Error | undefined
    socket.on('connect', () => socket.destroy())
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (!ANSWERS.has(error.code ?? '')) failure = error
    })
    socket.on('close', () => {
      clearTimeout(timer)
      if (failure) reject(failure)
      else resolve()
    })
  })
}

function sendDatagram({ step, payload }: Shot, way: Way): Promise<void> {
  const { port = 0, length = 0 } = step
  const content = payload === undefined ? Buffer.alloc(length) : Buffer.from(payload, 'hex')
  return new Promise((resolve, reject) => {
    const socket = createSocket(way.family === 6 ? 'udp6' : 'udp4')
    const fail = (error: Error) => {
      socket.close()
      reject(error)
    }
    socket.once('error', fail)
    const send = () =>
      socket.send(content, port, way.address, (error) => {
        if (error) return fail(error)
        socket.close()
        resolve()
      })
    if (way.source === undefined) send()
    else socket.bind({ address: way.source }, send)
  })
}

/** An echo request needs a raw socket or a permitted group: ping has the right. */
function sendEcho({ step }: Shot, { address, family, source }: Way): Promise<void> {
  const { length = 56 } = step
  const [program, ...argv] = pingCommand(process.platform, { address, family, length, source })
  return new Promise((resolve, reject) => {
    execFile(program, argv, { timeout: ECHO_TIME }, (error, _stdout, stderr) => {
      // Nothing came back, as nothing should; one that is ended has sent.
      const isSent = error?.killed || error?.code === unanswered(process.platform)
      if (!error || isSent) return resolve()
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
        const isLinux = process.platform === 'linux'
        const provider = isLinux ? 'install the package iputils-ping' : 'it is not on PATH'
        return reject(new CapabilityError('sendKnock', `the program ${program}`, provider))
      }
      reject(new Error(stderr.trim() || error.message))
    })
  })
}
