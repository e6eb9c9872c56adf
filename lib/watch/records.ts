// Records of the readers → the records of one table. Pure.

import { type Logged, parsePrefix, withUserName } from '../automaton/language/log-prefix.js'
import {
  INVALID_STEPS,
  isOfPorts,
  parseSetName,
  STEPS,
  TRUSTED,
} from '../automaton/language/names.js'
import type { DoorSummary } from '../automaton/language/summary.js'
import type { SharedKnocks } from '../automaton/sharing/find.js'
import { isSharedMap, parseAdmitted } from '../automaton/sharing/names.js'
import { addressText } from '../kernel/netlink/address-bytes.js'
import type { ElementChange, TableChange } from '../kernel/readers/changes.js'
import type { LogRecord } from '../kernel/readers/records.js'
import { ABOUT_SET } from '../nft/about.js'
import { parseFamilySet, sourceText } from '../nft/names.js'
import { formatCidr, parseAddress } from '../spec/model/address.js'
import type { Prefix } from '../spec/model/packet-model.js'
import { blockOf, lengthIn } from '../spec/model/prefix.js'
import { EVERYONE } from '../view/contents.js'
import type { KnockEvent, Sent } from '../view/event.js'
import type { TableRecord } from '../view/known-state.js'

/** The watched table, and what is needed of its doors. */
export interface WatchedTable {
  readonly table: string
  /** Seconds, by the door's name. */
  readonly grantTimeout: (door: string) => number | undefined
  /** Whether a door's grants are for everyone. */
  readonly isForEveryone: (door: string) => boolean
  /** The block that a door's grants are for, and the one that is a source for attempts and bans. */
  readonly grantPrefix: (door: string) => Prefix | undefined
  readonly guardPrefix?: Prefix | undefined
  readonly shared: SharedKnocks
  /** What the table says of a door, by its name. */
  readonly door: (name: string) => DoorSummary | undefined
}

const isoOf = (at: number): string => new Date(at).toISOString()

/** Returns undefined if the record is not of this table. */
export function recordOfLog(
  { logged: prefix, at, source = '', service, token, mark = 0 }: LogRecord,
  watched: WatchedTable,
): TableRecord | undefined {
  const parsed = parsePrefix(prefix)
  if (parsed?.table !== watched.table) return undefined
  const logged = parsed.shared
    ? watched.shared.name(parsed, mark)
    : withUserName(parsed, watched.door(parsed.door ?? ''))
  if (!logged) return undefined
  const event = eventOf(logged, isoOf(at), source, service, watched)
  const { attempt } = logged
  return event && { event, ...(attempt && { attempt }), ...(token !== undefined && { token }) }
}

function eventOf(
  { event, door, stage, of, user, attempt, by }: Logged,
  time: string,
  source: string,
  service: string | undefined,
  watched: WatchedTable,
): KnockEvent | undefined {
  const knocking = sentFrom(source, watched.guardPrefix)
  if (event === 'banned') return { time, event, ...knocking, ...(by && { by }) }
  if (door === undefined) return undefined
  const place = stage === undefined || of === undefined ? {} : { stage, of }
  const granted = watched.isForEveryone(door)
    ? { source: EVERYONE }
    : sentFrom(source, watched.grantPrefix(door))
  switch (event) {
    case 'knock':
      return { time, event, door, ...knocking, stage: stage ?? 1, of: of ?? 1 }
    case 'reset':
      return { time, event, door, ...knocking, ...place }
    case 'granted': {
      const expiresIn = watched.grantTimeout(door) ?? 0
      const whose = user === undefined ? {} : { user }
      const where = { time, event, door, ...granted }
      return { ...where, by: 'knock', expiresIn, ...place, ...whose }
    }
    case 'closed':
      return { time, event, door, ...granted, by: attempt === undefined ? 'use' : 'knock' }
    case 'denied':
      return { time, event, door, source, ...(service !== undefined && { service }) }
    case 'wrong':
      return { time, event, door, source, ...(user !== undefined && { user }) }
  }
}

/** An address, and the block around it that counts as the source, if one does. */
function sentFrom(source: string, prefix: Prefix | undefined): Sent {
  const address = prefix && parseAddress(source)
  if (!address || lengthIn(prefix, address.family) === undefined) return { source }
  return { source, block: formatCidr(blockOf(address, prefix)) }
}

/** A grant that a transaction added or deleted. */
interface CalledGrant {
  readonly door: string
  readonly source: string
  /** Milliseconds that it lasts; null: it was deleted; undefined: it does not expire. */
  readonly expiresIn: number | null | undefined
}

export const calledGrants = (
  { elements }: TableChange,
  { shared }: Pick<WatchedTable, 'shared'>,
): CalledGrant[] => elements.flatMap((element) => calledGrant(element, shared) ?? [])

function calledGrant(
  { set, key, expiresIn }: ElementChange,
  shared: SharedKnocks,
): CalledGrant | undefined {
  const parsed = parseFamilySet(set)
  const family = parsed?.family
  const bytes = Buffer.from(key, 'hex')
  const source =
    family === undefined ? EVERYONE : sourceText(addressText(family, bytes), family, parsed?.prefix)
  const protocol = parsed && parseAdmitted(parsed.set)
  if (protocol) {
    const at = bytes.length - 4
    const door = at > 0 ? shared.doorAt(protocol, bytes.readUInt16BE(at)) : undefined
    return door && { door: door.name, source, expiresIn }
  }
  const role = parsed && parseSetName(parsed.set)
  if (role?.role.kind !== 'grants') return undefined
  return { door: role.door, source, expiresIn }
}

export function recordOfCall({ door, source, expiresIn }: CalledGrant, at: number): TableRecord {
  const time = isoOf(at)
  if (expiresIn === null) return { event: { time, event: 'closed', door, source, by: 'call' } }
  const seconds = Math.round((expiresIn ?? 0) / 1000)
  return { event: { time, event: 'granted', door, source, by: 'call', expiresIn: seconds } }
}

/** Sets whose elements change only with a new spec, or by hand. */
const CONSTANT = new Set([ABOUT_SET, TRUSTED, STEPS, INVALID_STEPS])

/**
 * Returns what a transaction did to the table as a whole; undefined if it only changed what a
 * running table changes.
 */
export function tableEvent({
  event,
  shape,
  sets,
}: TableChange): 'installed' | 'removed' | undefined {
  if (event === 'removed') return 'removed'
  const isConstant = (name: string) => {
    const set = parseFamilySet(name)?.set ?? name
    return CONSTANT.has(set) || isOfPorts(set) || isSharedMap(set)
  }
  return shape || sets.some(isConstant) ? 'installed' : undefined
}
