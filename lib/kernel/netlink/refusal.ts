// An errno of the kernel → the same error as nft's refusal gives. Pure except for the system's
// table of errnos.
import { getSystemErrorName } from 'node:util'
import { NetlinkError, NftError, type NftErrorCode } from '../../errors.js'
import { hasPort, parseFamilySet } from '../../nft/names.js'
import type { SetQuery } from '../elements.js'
import { FULL } from '../nft.js'
import type { Reply, Request } from './connection.js'
import type { KeyFamily } from './element-answers.js'

export const subjectOf = ({ table, set }: SetQuery): string => `set inet ${table} ${set}`

/** Returns the form of a set's keys, which its name tells. */
export function familyOf({ set, isRaw }: SetQuery): KeyFamily {
  const family = parseFamilySet(set)?.family
  if (isRaw) return 'raw'
  return family && hasPort(set) ? `port${family}` : family
}

const MEANINGS: Readonly<Record<string, readonly [code: NftErrorCode, reason: string]>> = {
  ENOENT: ['not-found', 'not there'],
  EPERM: ['not-permitted', 'not permitted: netlink needs CAP_NET_ADMIN (root)'],
  EEXIST: ['already-exists', 'there already'],
  ENFILE: ['rejected', FULL],
}

/** Makes the error of a refusal. Its cause is a NetlinkError with the errno's name. */
export function refusal({ operation, subject }: Request, { errno, text }: Reply): NftError {
  const name = nameOf(errno)
  const words = text === undefined ? name : `${name}, ${text}`
  const [code, reason] = MEANINGS[name] ?? ['rejected', `the kernel refused it: ${words}`]
  const cause = new NetlinkError(name, operation, `${operation}: ${subject}: ${words}`)
  return new NftError(code, `${operation}: ${subject}: ${reason}`, { cause })
}

function nameOf(errno: number): `E${string}` {
  try {
    const name = getSystemErrorName(-errno)
    if (/^E[A-Z0-9]+$/.test(name)) return name as `E${string}`
  } catch {
    // The system does not know this errno.
  }
  return `E${errno}`
}
