// What happened → what the page says of it. Pure.
import type { Window } from './dom.js'
import type { SentTokens } from './send-tokens.js'

export const TEXTS = {
  none: 'It stays in this page until you close it.',
  held: 'This page has the secret until you close it. Leave the field empty to use it again.',
  kept: 'This device keeps the secret. Leave the field empty to use it.',
  forgotten: 'This device has forgotten the secret.',
  knocking: 'Knocking…',
  again: 'Knock again',
  scan: 'Read a QR code',
  stopCamera: 'Stop the camera',
} as const

/** What the browser lacks, or undefined. */
export function lack({ crypto, RTCPeerConnection }: Window): string | undefined {
  if (RTCPeerConnection === undefined) {
    return (
      'This browser cannot knock: WebRTC is missing or switched off ' +
      '(in Firefox: media.peerconnection.enabled in about:config). Use another browser.'
    )
  }
  // W3C Web Cryptography API, section 10.
  if (crypto.subtle !== undefined) return undefined
  return (
    'This browser has no cryptography for a page that came over plain http. ' +
    'Open this page over https, or save it and open the file.'
  )
}

/** @param last - what was sent before. */
export function describeSent(
  { reached, failed, period, next }: SentTokens,
  last: SentTokens | undefined,
  now: number,
): string {
  const problems = failed.map((reason) => `Not knocked at ${reason}.`)
  if (reached.length === 0) return ['The knock failed.', ...problems].join(' ')
  const seconds = Math.max(1, Math.ceil((next - now) / 1000))
  const meaning =
    period === last?.period
      ? 'This was the same token as before, and a token works once. ' +
        `If the door is shut, knock again in ${seconds} s.`
      : 'A door gives no answer. If the secret and the clock of this device are right, it is open.'
  return [`Knocked at ${reached.join(' and ')}.`, meaning, ...problems].join(' ')
}

/** How long the door is open still, as the countdown shows it. */
export function timeLeft(milliseconds: number): string {
  const seconds = Math.ceil(milliseconds / 1000)
  if (seconds <= 0) return 'The time is over. Knock again.'
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
  const shown = seconds < 3600 ? parts.slice(1) : parts
  const [first, ...rest] = shown.map((part) => String(part))
  return `Open for ${[first, ...rest.map((part) => part.padStart(2, '0'))].join(':')}`
}

/** The clock of the device, to be compared with another one. */
export const clockOf = (now: number): string => `${new Date(now).toISOString().slice(11, 19)} UTC`
