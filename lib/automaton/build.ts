// A valid spec → the automaton of its whole table. Pure, and the same for the same spec.

import type { ResetMode, ValidDoor, ValidKnock, ValidSpec } from '../spec/model.js'
import { formatService } from '../spec/step.js'
import type { AddressSet, Automaton, DoorSummary, TimedSet } from './automaton.js'
import { buildGate, closeActions, gateSets, grantActions } from './gate.js'
import { type Attempt, COUNTERS, counterName, SEEN, TRUSTED } from './names.js'
import type { KnockContext, KnockProgram } from './program.js'
import { ResetDomain } from './reset.js'
import { buildSequence } from './sequence.js'
import { weave } from './weave.js'

/**
 * Seconds that a SYN is remembered at least, anew with each of its retransmissions. Linux doubles the pause
 * between them up to 32 s (tcp_syn_retries = 6), so no retransmission of a plain connect() is ever taken for a knock.
 */
export const RETRANSMISSION = 40

/** The kinds of knock. A new one is a file that exports such a function, and a line here. */
function buildKnock(knock: ValidKnock, context: KnockContext): KnockProgram {
  switch (knock.type) {
    case 'sequence':
      return buildSequence(knock, context)
  }
}

export function buildAutomaton(spec: ValidSpec): Automaton {
  const { doors, guard } = spec
  const knocks = doors.flatMap((door) => knocksOf(door))
  const domains = (['any', 'knock-ports'] as const).map(
    (mode) => new ResetDomain(mode, knocks.filter(({ knock }) => knock.reset === mode).length),
  )
  const programs = knocks.map(({ door, knock, attempt }) => {
    const domain = domainOf(domains, knock.reset)
    const program = buildKnock(knock, {
      door,
      attempt,
      capacity: guard.capacity,
      complete: attempt === 'open' ? grantActions(door) : closeActions(door),
      touch: domain?.nextTouch() ?? [],
    })
    if (program.wipe.length > 0) domain?.join(program)
    return program
  })
  const resetting = domains.filter((domain) => !domain.isEmpty)
  const seconds = Math.max(RETRANSMISSION, ...programs.map(({ lasts }) => lasts))
  const woven = weave(spec, programs, resetting)
  return {
    table: spec.table,
    sets: [
      ...sharedSets(programs, seconds, guard.capacity),
      ...resetting.flatMap((domain) => domain.sets(guard.capacity)),
      ...programs.flatMap(({ sets }) => sets),
      ...doors.flatMap((door) => gateSets(door, guard.capacity)),
    ],
    addressSets: addressSets(spec),
    counters: doors.flatMap(({ name }) => COUNTERS.map((kind) => counterName(kind, name))),
    maps: woven.maps,
    chains: [
      ...woven.chains,
      ...resetting.flatMap((domain) => domain.chains()),
      ...doors.map((door) => buildGate(door, guard.trusted.length > 0)),
    ],
    doors: doors.map(summarise),
  }
}

interface PlacedKnock {
  readonly door: ValidDoor
  readonly knock: ValidKnock
  readonly attempt: Attempt
}

function knocksOf(door: ValidDoor): PlacedKnock[] {
  const open: PlacedKnock = { door, knock: door.knock, attempt: 'open' }
  return door.close ? [open, { door, knock: door.close, attempt: 'close' }] : [open]
}

const domainOf = (domains: readonly ResetDomain[], reset: ResetMode): ResetDomain | undefined =>
  domains.find(({ mode }) => mode === reset)

function sharedSets(programs: readonly KnockProgram[], timeout: number, capacity: number) {
  // Without a TCP knock and without anything that resets, no SYN is ever remembered.
  const remembers = programs.some(
    ({ endpoints, reset, wipe }) =>
      endpoints.some(({ port }) => port?.protocol === 'tcp') ||
      (reset === 'any' && wipe.length > 0),
  )
  const seen: TimedSet = { name: SEEN, key: ['source', 'sourcePort', 'port'], timeout, capacity }
  return remembers ? [seen] : []
}

function addressSets({ guard }: ValidSpec): AddressSet[] {
  return guard.trusted.length > 0 ? [{ name: TRUSTED, addresses: guard.trusted }] : []
}

const summarise = ({ name, services, knock, open }: ValidDoor): DoorSummary => ({
  name,
  services: services.map(formatService),
  steps: knock.steps.length,
  grantTimeout: open.for,
  connections: open.connections,
})
