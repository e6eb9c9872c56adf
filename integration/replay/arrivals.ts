// Packets that passed the kernel's table, and verdicts → one form, for a comparison. Pure.
import type { ValidSpec } from '../../lib/spec/model/model.js'
import type { Verdict } from '../oracle/oracle.js'
import type { Addressed } from '../wire/frames.js'
import { arrivalKey } from './playback.js'

type Counts = Readonly<Record<string, number>>

/** Returns how often each flow arrived. Leaves out the port of flows that may be redirected. */
export const arrivedOf = (spec: ValidSpec, arrivals: ReadonlyMap<string, number>): Counts =>
  counted([...arrivals].map(([key, count]) => [withoutDetour(spec, key), count]))

/** Returns in the same form what the oracle or the simulator lets through. */
export const expectedOf = (
  spec: ValidSpec,
  packets: readonly Addressed[],
  verdicts: readonly Verdict[],
): Counts =>
  counted(
    packets
      .filter((_, index) => verdicts[index] === 'accept')
      .map((packet) => [withoutDetour(spec, arrivalKey(packet)), 1]),
  )

/** Counts the flows that arrived at ports to which doors redirect. */
export const detoursOf = (spec: ValidSpec, arrivals: ReadonlyMap<string, number>): number =>
  [...arrivals.keys()].filter((key) => targetsOf(spec).includes(portOf(key))).length

/** Counts the packets that were sent to such a port itself and were let through. */
export const directOf = (
  spec: ValidSpec,
  packets: readonly Addressed[],
  verdicts: readonly Verdict[],
): number =>
  packets.filter(
    ({ port = 0 }, index) => verdicts[index] === 'accept' && targetsOf(spec).includes(port),
  ).length

const portOf = (key: string): number => Number(key.split(' ')[2])

const targetsOf = ({ doors }: ValidSpec): number[] =>
  doors.flatMap(({ open }) => (open.redirectTo ? [open.redirectTo.port] : []))

function withoutDetour(spec: ValidSpec, key: string): string {
  const port = portOf(key)
  const isDetour = spec.doors.some(
    ({ services, open }) =>
      open.redirectTo &&
      (open.redirectTo.port === port ||
        services.some(({ ports }) => ports && ports.from <= port && port <= ports.to)),
  )
  return isDetour ? key.replace(/\d+$/, '*') : key
}

function counted(flows: readonly (readonly [key: string, count: number])[]): Counts {
  const counts: Record<string, number> = {}
  for (const [key, count] of flows) counts[key] = (counts[key] ?? 0) + count
  return Object.fromEntries(Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1)))
}
