// Values as the user wrote them → numbers and objects. A value that cannot be read is reported, and
// a placeholder stands in for it. Pure.

import { expected } from '../generated/expected-knock.js'
import type { Step as SpecStep } from '../generated/knock-types.js'
import { formatDuration, MAX_DURATION, parseDuration } from '../model/duration.js'
import type { Findings } from '../model/findings.js'
import type { KnockPort, Service, Step } from '../model/packet-model.js'
import { insteadOfProtocol, parseProtocol } from '../model/protocol.js'
import { parseFlags, parseKnockStep, parseService, parseStep } from '../model/step.js'

/** Returns a value that the schema accepts, or the fallback if it is absent or wrong. */
export function readValue<T>(value: T | undefined, path: string, fallback: T, findings: Findings) {
  return value !== undefined && findings.isClean(path) ? value : fallback
}

/**
 * Reads a duration of at least `least` seconds. If it cannot be read, the longest one stands in.
 */
export function readDuration(value: unknown, path: string, findings: Findings, least = 1): number {
  if (!findings.isClean(path)) return MAX_DURATION
  const seconds = parseDuration(value)
  if (seconds === undefined) findings.add(path, expected['#/definitions/duration'] as string)
  else if (seconds < least) findings.add(path, `a duration of at least ${formatDuration(least)}`)
  return seconds ?? MAX_DURATION
}

/** Reads a duration that may be 0 or absent. */
export function readPause(
  value: unknown,
  path: string,
  fallback: number,
  findings: Findings,
): number {
  if (value === undefined) return fallback
  if (value === 0 || value === '0s' || !findings.isClean(path)) return 0
  const seconds = parseDuration(value)
  if (seconds === undefined) findings.add(path, expected['#/definitions/durationOrZero'] as string)
  return seconds ?? 0
}

/** The placeholder for a step that cannot be read, so that the others keep their indices. */
const UNREADABLE: Step = { protocol: 'icmp' }

export function readStep(step: SpecStep, origin: string, findings: Findings): Step {
  if (!findings.isCleanBelow(origin)) return UNREADABLE
  if (typeof step !== 'object') {
    const parsed = parseKnockStep(String(step))
    if (parsed) return parsed
    findings.add(origin, 'tcp/1..65535, udp/1..65535, icmp or icmpv6')
    return UNREADABLE
  }
  if (step.protocol !== 'tcp') {
    const { protocol, length } = step
    // Always in this order, so that the same step compiles to the same ruleset.
    const port = protocol === 'udp' ? { port: step.port } : {}
    return { protocol, ...port, ...(length !== undefined && { length }) }
  }
  const { protocol, port, flags } = step
  if (flags === undefined) return { protocol, port }
  const parsed = parseFlags(flags)
  if (!parsed) findings.add(`${origin}/flags`, 'flags that are not both set and clear')
  return parsed ? { protocol, port, flags: parsed } : { protocol, port }
}

/** Reads `tcp/22` or `udp/22`. If it cannot be read, port 0 stands in. */
export function readKnockPort(
  text: string | undefined,
  path: string,
  findings: Findings,
): KnockPort {
  const parsed = findings.isClean(path) ? parseStep(text ?? '') : undefined
  if (parsed?.port !== undefined) return parsed as KnockPort
  findings.add(path, 'a port from 1 to 65535')
  return { protocol: 'tcp', port: 0 }
}

/** Reads one value or a list of values. Those that cannot be read are reported and left out. */
export function readList<T>(
  values: string | readonly string[],
  path: string,
  findings: Findings,
  read: (value: string, path: string) => T | undefined,
): T[] {
  if (typeof values === 'string') {
    const only = read(values, path)
    return only === undefined ? [] : [only]
  }
  return values.flatMap((value, index) => {
    const where = `${path}/${index}`
    return findings.isClean(where) ? (read(value, where) ?? []) : []
  })
}

export function readServices(
  values: string | readonly string[],
  path: string,
  findings: Findings,
): Service[] {
  return readList(values, path, findings, (value, where) => {
    const service = parseService(value)
    if (!service) findings.add(where, expectedService(value))
    return service
  })
}

/** Says what was expected of a service that has the schema's form but cannot be read. */
function expectedService(text: string): string {
  const name = /^protocol\/(.*)$/.exec(text)?.[1]
  if (name === undefined) return 'ports from 1 to 65535, a range from low to high'
  const number = parseProtocol(name)
  const unknown = "a protocol's number from 0 to 255 or its IANA name, such as protocol/sctp"
  return number === undefined ? unknown : (insteadOfProtocol(number) ?? unknown)
}

/** Whether each of these parts of a knock is absent or has the right form. */
export const areRead = (origin: string, keys: readonly string[], findings: Findings): boolean =>
  keys.every((key) => findings.isClean(`${origin}/${key}`))
