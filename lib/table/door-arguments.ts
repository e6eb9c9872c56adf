// The arguments of a door's calls → addresses and seconds, or an ArgumentError with the value.
// Pure.

import { COUNTED_AT_LEAST } from '../automaton/door/grant.js'
import type { DoorSummary } from '../automaton/language/summary.js'
import { ArgumentError } from '../errors.js'
import { type Address, parseAddress } from '../spec/model/address.js'
import { EXPECTED_DURATION, MAX_DURATION, parseDuration } from '../spec/model/duration.js'
import { EVERYONE } from '../view/contents.js'

/** Undefined stands for everyone. */
export type Source = Address | undefined

/**
 * Reads an address. `subject` names the door or the table in errors.
 *
 * @throws ArgumentError if it is no address.
 */
export function readSource(operation: string, subject: string, source: string): Address {
  const address = parseAddress(source)
  if (address) return address
  const expected = 'an IPv4 or IPv6 address'
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
  { name, scope }: DoorSummary,
  operation: string,
  sources: Iterable<string>,
): Source[] {
  const read = new Map<string, Source>()
  for (const source of sources) {
    if (scope === 'everyone') requireEveryone(name, operation, source)
    const address = scope === 'everyone' ? undefined : readSource(operation, name, source)
    read.set(address?.address ?? EVERYONE, address)
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
