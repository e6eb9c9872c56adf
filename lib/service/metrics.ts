// A table's status → OpenMetrics text for Prometheus. No I/O; the only importer of prom-client.
import type { Gauge, OpenMetricsContentType } from 'prom-client'
import type { ActionCounts } from '../actions/queue.js'
import type { Counters, Status } from '../view/status.js'

/** The content type of what `renderMetrics` returns. */
export const METRICS_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8'

/** What this process counts, beside the kernel's counters. */
export interface ProcessCounts {
  /** Events that the watcher could not read in time, since the process started. */
  readonly lostEvents?: number
  /**
   * Log messages in the NFLOG group that no table of knocklib wrote, since the process started.
   * They were ignored.
   */
  readonly foreignLogPackets?: number | undefined
  /** What became of the events that actions were to be done for. */
  readonly actions?: readonly ActionCounts[] | undefined
}

/** The help of each door's counters, by the counter's name without `_total`. */
const DOOR_COUNTERS: Readonly<Record<keyof Counters, string>> = {
  knocks: 'Packets that were a step of a knock of the door',
  grants: 'Grants by knocks',
  closes: 'Closing knocks, and grants that their last connection used up',
  resets: 'Attempts that a wrong packet ended',
  wrong: 'Tokens that are invalid or were used already',
  denied: 'Packets to the service from sources without a grant',
}

const TABLE_COUNTERS: Readonly<Record<keyof Status['counters'], string>> = {
  bans: 'Bans made',
  ignored: 'Packets of banned sources that were ignored',
  repeated: 'SYNs to knock ports that were retransmitted, or could not be remembered',
  unlogged: 'Events that were not logged, above the rate of the log',
}

/**
 * Renders a status as OpenMetrics text, which ends with `# EOF`. Counters start over with the
 * table. There are no sources: each would be a time series of its own.
 */
export async function renderMetrics(
  status: Status,
  { lostEvents, foreignLogPackets, actions = [] }: ProcessCounts = {},
): Promise<string> {
  const { Registry, Counter, Gauge } = await import('prom-client')
  // Not the global registry, which belongs to the program that uses knocklib.
  const registry = new Registry<OpenMetricsContentType>()
  registry.setContentType(METRICS_TYPE)
  const { table, doors } = status
  const counter = (name: string, help: string, labelNames: readonly string[] = []) =>
    new Counter({
      name: `knocklib_${name}`,
      help: `${help}.`,
      labelNames: ['table', ...labelNames],
      registers: [registry],
    })
  const gauge = (name: string, help: string, labelNames: readonly string[] = []) =>
    new Gauge({
      name: `knocklib_${name}`,
      help: `${help}.`,
      labelNames: ['table', ...labelNames],
      registers: [registry],
    })
  for (const [name, help] of Object.entries(DOOR_COUNTERS)) {
    const family = counter(name, help, ['door'])
    for (const door of doors) {
      family.inc({ table, door: door.name }, door.counters[name as keyof Counters])
    }
  }
  for (const [name, help] of Object.entries(TABLE_COUNTERS)) {
    counter(name, help).inc({ table }, status.counters[name as keyof Status['counters']])
  }
  if (lostEvents !== undefined) {
    counter('lost_events', 'Events that were not read in time').inc({ table }, lostEvents)
  }
  if (foreignLogPackets !== undefined) {
    const help = 'Packets in the NFLOG group that no table of knocklib logged'
    counter('foreign_log_packets', help).inc({ table }, foreignLogPackets)
  }
  if (actions.length > 0) {
    const help = 'Events for which an action was done, or failed, or was left out'
    const family = counter('actions', help, ['action', 'result'])
    for (const { action, ...results } of actions) {
      for (const [result, count] of Object.entries(results)) {
        family.inc({ table, action: String(action), result }, count)
      }
    }
  }
  setGauges(status, gauge)
  return registry.metrics()
}

function setGauges(
  { table, doors, bans, fill, confirm, clock }: Status,
  gauge: (name: string, help: string, labelNames?: readonly string[]) => Gauge,
): void {
  gauge('table_info', 'The table that the other metrics are of').set({ table }, 1)
  const info = gauge('door_info', 'The services of a door', ['door', 'service'])
  const openFor = gauge('open_seconds', 'How long a grant lasts', ['door'])
  const grants = gauge('active_grants', 'Sources that a door lets in now', ['door'])
  const attempts = gauge('active_attempts', 'Sources with an attempt under way', ['door'])
  for (const { name: door, service, openFor: seconds, ...now } of doors) {
    info.set({ table, door, service: service.join(' ') }, 1)
    openFor.set({ table, door }, seconds)
    grants.set({ table, door }, now.grants.length)
    attempts.set({ table, door }, now.progress.length)
  }
  if (doors.some(({ penalised }) => penalised)) {
    const help = 'Sources whose knocks count for nothing now'
    const penalties = gauge('active_penalties', help, ['door'])
    for (const { name: door, penalised } of doors) {
      if (penalised) penalties.set({ table, door }, penalised.length)
    }
  }
  if (doors.some(({ tokens }) => tokens)) {
    const left = gauge('tokens_seconds', 'How long the loaded tokens still open', ['door', 'user'])
    for (const { name: door, tokens = [] } of doors) {
      for (const { user, expiresIn } of tokens) left.set({ table, door, user }, expiresIn)
    }
  }
  const ends = doors.flatMap(({ name, tokens = [] }) =>
    tokens.flatMap(({ user, until }) => (until === undefined ? [] : [{ name, user, until }])),
  )
  if (ends.length > 0) {
    const help = 'When the time of a user ends, in seconds since 1970'
    const at = gauge('user_until_timestamp_seconds', help, ['door', 'user'])
    for (const { name: door, user, until } of ends) {
      at.set({ table, door, user }, Date.parse(until) / 1000)
    }
  }
  if (clock && clock.synchronised !== 'unknown') {
    const help = 'Whether the clock of the machine is synchronised; absent if it is not known'
    gauge('clock_synchronised', help).set({ table }, Number(clock.synchronised === 'yes'))
  }
  if (doors.some(({ rotations }) => rotations)) {
    const help = 'How long the loaded ports of rotating sequences still open'
    const left = gauge('rotation_seconds', help, ['door', 'knock'])
    for (const { name: door, rotations = [] } of doors) {
      for (const { knock, expiresIn } of rotations) left.set({ table, door, knock }, expiresIn)
    }
  }
  gauge('active_bans', 'Sources whose knocks are ignored now').set({ table }, bans.length)
  const pending = confirm !== undefined && 'expiresIn' in confirm
  const fallen = confirm !== undefined && !pending
  gauge('unconfirmed', 'Whether the table is waiting to be confirmed').set(
    { table },
    Number(pending),
  )
  gauge('fallen_open', 'Whether it was not confirmed in time and lets everything through').set(
    { table },
    Number(fallen),
  )
  const elements = gauge('set_elements', 'Elements of a set that is not empty', ['set'])
  const capacity = gauge('set_capacity', 'The most elements of a set that is not empty', ['set'])
  for (const { set, elements: held, capacity: most } of fill) {
    elements.set({ table, set }, held)
    capacity.set({ table, set }, most)
  }
}
