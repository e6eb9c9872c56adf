// The arguments of a door's calls → addresses and seconds, or an ArgumentError with the value.
// Pure.

import { COUNTED_AT_LEAST } from '../automaton/door/grant.js'
import type { DoorSummary } from '../automaton/language/summary.js'
import { ArgumentError } from '../errors.js'
import { type Address, formatCidr, parseCidr } from '../spec/model/address.js'
import { EXPECTED_DURATION, MAX_DURATION, parseDuration } from '../spec/model/duration.js'
import type { Prefix } from '../spec/model/packet-model.js'
import { blockOf, lengthIn } from '../spec/model/prefix.js'
import { EVERYONE } from '../view/contents.js'

/** An address, or the address of a block; and the same as listings have it. */
export interface SourceAddress extends Address {
  readonly text: string
}

/** Undefined stands for everyone. */
export type Source = SourceAddress | undefined

/**
 * Reads an address: the block around it, if blocks are sources; such a block can be written, too.
 * `subject` names the door or the table in errors.
 *
 * @throws ArgumentError if it is neither.
 */
export function readSource(
  operation: string,
  subject: string,
  source: string,
  prefix?: Prefix,
): SourceAddress {
  const read = parseCidr(source)
  const isBlock = String(source).includes('/')
  const length = read && lengthIn(prefix, read.family)
  if (read && (!isBlock || (read.prefixLength === length && !read.hostBits))) {
    const block = blockOf(read, prefix)
    return { family: block.family, address: block.address, text: formatCidr(block) }
  }
  const expected = `an IPv4 or IPv6 address${length === undefined ? '' : `, or a /${length}`}`
  throw new ArgumentError(
    `${operation}: ${subject}: expected ${expected}, got ${JSON.stringify(source)}`,
  )
}

/**
 * Reads a door's sources and removes duplicates.
 *
 * @throws ArgumentError if one is no address, or is not `everyone` at a door for everyone.
 */
export function readSources(
  { name, scope, prefix }: DoorSummary,
  operation: string,
  sources: Iterable<string>,
): Source[] {
  const read = new Map<string, Source>()
  for (const source of sources) {
    if (scope === 'everyone') requireEveryone(name, operation, source)
    const address = scope === 'everyone' ? undefined : readSource(operation, name, source, prefix)
    read.set(address?.text ?? EVERYONE, address)
  }
  return [...read.values()]
}

function requireEveryone(name: string, operation: string, source: string): void {
  if (source === EVERYONE) return
  const expected = `"${EVERYONE}", since this door opens to everyone at once`
  throw new ArgumentError(
    `${operation}: ${name}: expected ${expected}, got ${JSON.stringify(source)}`,
  )
}

/**
 * Reads how long to open a door, in seconds. Default: as long as a knock opens it.
 *
 * @throws ArgumentError if it is no duration, or longer than the door counts connections.
 */
export function readSeconds(
  { name, grantTimeout, connections }: DoorSummary,
  operation: string,
  value: string | number = grantTimeout,
): number {
  const seconds = parseDuration(value)
  if (seconds === undefined) {
    const got = JSON.stringify(value)
    throw new ArgumentError(`${operation}: for: expected ${EXPECTED_DURATION}, got ${got}`)
  }
  const longest =
    connections === undefined ? MAX_DURATION : Math.max(grantTimeout, COUNTED_AT_LEAST)
  if (seconds <= longest) return seconds
  const limit = `at most ${longest} s, as long as this door counts connections`
  throw new ArgumentError(`${operation}: ${name}: for: expected ${limit}, got ${value}`)
}
