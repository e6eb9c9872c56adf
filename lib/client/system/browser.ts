// What a browser can send of a knock: a token in a connectivity check of WebRTC. Touches the
// network.
import type { Shot } from '../../automaton/language/client-kind.js'
import { CapabilityError, SendError } from '../../errors.js'
import type { System } from './system.js'

/** The part of WebRTC that is used (W3C, WebRTC: Real-Time Communication in Browsers). */
interface PeerConnection {
  createDataChannel(label: string): unknown
  createOffer(): Promise<unknown>
  setLocalDescription(description: unknown): Promise<void>
  setRemoteDescription(description: { type: 'answer'; sdp: string }): Promise<void>
  onicecandidate: ((event: { candidate: { candidate: string } | null }) => void) | null
  close(): void
}

declare const RTCPeerConnection: (new (options: object) => PeerConnection) | undefined

/** Milliseconds for which checks are sent: some ten, so that a lost one does no harm. */
const CHECKING = 1000

/** Nothing is sent, and no other sign of it is given. */
const NO_WAY_OUT =
  'the browser offers no address to send from; a setting, an extension or a policy of the ' +
  'browser may keep pages from sending UDP'

/** @throws CapabilityError if the browser has no WebRTC. */
export function browserSystem(operation: string): System {
  if (typeof RTCPeerConnection === 'undefined') {
    throw new CapabilityError(operation, 'sockets and WebRTC', 'this system has neither')
  }
  const refuse = (what: string): never => {
    throw new CapabilityError(operation, what, 'a browser cannot do that')
  }
  return {
    readDocument: async () => refuse('a file to read'),
    readSecret: async () => refuse('a file to read'),
    probe: async () => refuse('a TCP connection'),
    takeSequence: async () => refuse('a file to write'),
    async resolve(host, families) {
      const family = host.includes(':') ? 6 : 4
      const isAddress = family === 6 || /^\d+\.\d+\.\d+\.\d+$/.test(host)
      if (!isAddress) refuse(`the address of ${host}: names`)
      return families.includes(family) ? [{ family, address: host }] : []
    },
    senderTo:
      ({ address }) =>
      (shot) => {
        const over = sendCheck(shot, address, operation)
        return { left: over, over }
      },
  }
}

async function sendCheck(
  { step, fragment }: Shot,
  address: string,
  operation: string,
): Promise<void> {
  if (fragment === undefined || step.port === undefined || !RTCPeerConnection) {
    const provider = 'a browser sends tokens with the carrier stun alone'
    throw new CapabilityError(operation, 'sockets', provider)
  }
  const connection = new RTCPeerConnection({ iceServers: [] })
  let isAllowed = false
  connection.onicecandidate = ({ candidate }) => {
    isAllowed ||= candidate !== null && candidate.candidate !== ''
  }
  try {
    connection.createDataChannel('knock')
    await connection.setLocalDescription(await connection.createOffer())
    await connection.setRemoteDescription({
      type: 'answer',
      sdp: answerOf(fragment, address, step.port),
    })
    await new Promise((resolve) => setTimeout(resolve, CHECKING))
    if (!isAllowed) throw new SendError(`${operation}: ${address}: ${NO_WAY_OUT}`)
  } finally {
    connection.close()
  }
}

/**
 * The answer of a peer at an address that there never is (RFC 8839, RFC 8841): the browser checks
 * whether it is there, and names it by its fragment, which is the token.
 */
const answerOf = (fragment: string, address: string, port: number): string =>
  [
    'v=0',
    'o=- 1 1 IN IP4 0.0.0.0',
    's=-',
    't=0 0',
    'a=ice-lite',
    `m=application 9 UDP/DTLS/SCTP webrtc-datachannel`,
    'c=IN IP4 0.0.0.0',
    `a=ice-ufrag:${fragment}`,
    `a=ice-pwd:${'k'.repeat(24)}`,
    `a=fingerprint:sha-256 ${Array(32).fill('4B').join(':')}`,
    'a=setup:passive',
    'a=mid:0',
    'a=sctp-port:5000',
    `a=candidate:1 1 udp 2130706431 ${address} ${port} typ host`,
    '',
  ].join('\r\n')
