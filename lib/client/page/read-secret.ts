// What the user gave, a secret or a link that holds one → the secret, or what is wrong with it.
// Pure.
import { splitFragment } from '../fragment.js'

export type Given =
  | { readonly secret: Uint8Array<ArrayBuffer>; readonly text: string }
  | { readonly problem: string }

/** Bytes that every secret has. */
const SHORTEST = 16

interface Place {
  readonly host: string
  readonly door: string
}

/**
 * Reads what was pasted or what a QR code says: the secret itself, the link of this page with the
 * secret behind its `#`, or a profile as a URI, which must be one of this door. Spaces around it
 * are left out.
 */
export function readGiven(given: string, place: Place): Given {
  const text = given.trim()
  if (/^knocklib:/i.test(text)) {
    const problem = otherPlace(text, place)
    return problem === undefined ? readFragment(text) : { problem }
  }
  return /^(https?|file):\/\/[^#]*#/i.test(text) ? readFragment(text) : requireLength(text)
}

/** Reads the secret behind the `#` of a link. */
export function readFragment(link: string): Given {
  try {
    const fail = (reason: string): never => {
      throw new SyntaxError(reason)
    }
    const items = splitFragment(link.slice(link.indexOf('#') + 1), fail)
    const secret = items.find(([key]) => key === 'secret')?.[1]
    if (secret === undefined) return { problem: 'This link has no secret in it.' }
    return requireLength(secret)
  } catch {
    return { problem: 'The end of this link is broken. Copy the whole link.' }
  }
}

function requireLength(text: string): Given {
  if (text === '') return { problem: 'Enter the secret.' }
  const secret = new TextEncoder().encode(text)
  if (secret.length >= SHORTEST) return { secret, text }
  const problem = `This is too short: a secret has at least ${SHORTEST} characters.`
  return { problem }
}

function otherPlace(uri: string, { host, door }: Place): string | undefined {
  const [, theirs = '', name = ''] = /^knocklib:\/\/([^/#]*)\/?([^#]*)/i.exec(uri) ?? []
  const plain = theirs.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')
  if (plain === host && (name === door || name === '')) return undefined
  return `This is for ${name || 'a door'} of ${plain}, and this page opens ${door} of ${host}.`
}
