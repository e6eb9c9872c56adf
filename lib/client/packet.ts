// One shot → one packet on the wire. Touches the network.
import { execFile } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import type { Shot } from '../automaton/language/client-kind.js'
import { CapabilityError, SendError } from '../errors.js'
import type { Address } from '../spec/model/address.js'
import type { Family } from '../spec/model/model.js'

/**
 * How long a SYN needs to leave: long enough for a busy machine, far from the second one after 1 s.
 */
const SYN_TIME = 50

/**
 * @throws CapabilityError if ping is missing, SendError if the network refuses the packet.
 */
export async function sendShot(shot: Shot, { address, family }: Address): Promise<void> {
  const send = { tcp: sendSyn, udp: sendDatagram, icmp: sendEcho, icmpv6: sendEcho }
  try {
    await send[shot.step.protocol](shot, address, family)
  } catch (cause) {
    if (cause instanceof CapabilityError) throw cause
    const message = `sendKnock: ${address} ${shot.label}: ${reasonOf(cause, shot)}`
    throw new SendError(message, shot.isSecret ? {} : { cause })
  }
}

/** The system's words name the port: for one that is a secret the code alone is shown. */
function reasonOf(cause: unknown, { isSecret }: Shot): string {
  const { message, code } = cause as NodeJS.ErrnoException
  return isSecret ? (code ?? 'the network refuses the packet') : message
}

/** What a port answers that is not a knock port: that the packet came is all that we want. */
const ANSWERS = new Set(['ECONNREFUSED', 'ECONNRESET', 'EHOSTUNREACH', 'ETIMEDOUT'])

function sendSyn({ step }: Shot, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: step.port ?? 0, autoSelectFamily: false })
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

function sendDatagram({ step, payload }: Shot, host: string, family: Family): Promise<void> {
  const { port = 0, length = 0 } = step
  const content = payload === undefined ? Buffer.alloc(length) : Buffer.from(payload, 'hex')
  return new Promise((resolve, reject) => {
    const socket = createSocket(family === 6 ? 'udp6' : 'udp4')
    socket.on('error', reject)
    socket.send(content, port, host, (error) => {
      socket.close()
      if (error) reject(error)
      else resolve()
    })
  })
}

/** An echo request needs a raw socket or a permitted group: ping has the right. */
function sendEcho({ step }: Shot, host: string, family: Family): Promise<void> {
  const { length = 56 } = step
  const argv = [`-${family}`, '-c1', '-W0.01', '-n', '-q', '-s', String(length), host]
  return new Promise((resolve, reject) => {
    execFile('ping', argv, { timeout: 5000 }, (error, _stdout, stderr) => {
      // Exit code 1 says that nothing came back, as nothing should.
      if (!error || error.code === 1) return resolve()
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
        const provider = 'install the package iputils-ping'
        return reject(new CapabilityError('sendKnock', 'the program ping', provider))
      }
      reject(new Error(stderr.trim() || error.message))
    })
  })
}
