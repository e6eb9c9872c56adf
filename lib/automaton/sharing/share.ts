// Shared doors → everything that a table has for them: sets, maps, chains, and the entries that
// lead packets to them. Pure.
import type { Hook, ValidBan } from '../../spec/model/model.js'
import {
  type Chain,
  type DispatchEntry,
  entryOf,
  jump,
  type MoveMap,
} from '../language/automaton.js'
import { isClosing } from '../language/names.js'
import type { DataMap, TimedSet } from '../language/sets.js'
import type { SharedDoor } from './choose.js'
import { sharedGate, sharedGates } from './gate.js'
import { sharedKnocks } from './knocks.js'
import { ADVANCED, admittedSet, type CountedKind, countSet, STARTED } from './names.js'

export interface SharedParts {
  readonly sets: readonly TimedSet[]
  readonly chains: readonly Chain[]
  readonly moves: readonly MoveMap[]
  readonly data: readonly DataMap[]
  /** Where the packets to knock ports and to services go. */
  readonly entries: readonly DispatchEntry[]
  /** The most seconds between two knocks of an attempt, and of a whole attempt. */
  readonly gap: number
  readonly lasts: number
}

interface SharedContext {
  readonly hook: Hook
  readonly hasTrusted: boolean
  readonly capacity: number
  readonly ban: ValidBan | undefined
  /** The set of sources that are knocking. */
  readonly knocking: string
  /** The chains of knock packets. */
  readonly knock: Readonly<Record<'tcp' | 'udp', string>>
}

/** @returns undefined if no doors are shared. */
export function shareDoors(
  doors: readonly SharedDoor[],
  context: SharedContext,
): SharedParts | undefined {
  if (doors.length === 0) return undefined
  const { capacity, knock } = context
  const knocks = doors.flatMap((door) => door.knocks)
  const judged = sharedKnocks(doors, context)
  const gates = sharedGates(doors, context)
  const ports = new Map(
    knocks.flatMap(({ steps }) =>
      steps.map(({ protocol, port }) => [
        `${protocol}/${port}`,
        entryOf(protocol, port, jump(knock[protocol])),
      ]),
    ),
  )
  const most = (of: (knock: (typeof knocks)[number]) => number) => Math.max(...knocks.map(of))
  return {
    sets: setsOf(doors, capacity),
    chains: [...gates.chains, ...judged.chains],
    moves: [judged.moves],
    data: [...judged.data, gates.data],
    entries: [
      ...ports.values(),
      ...doors.map(({ service: { protocol, port } }) =>
        entryOf(protocol, port, jump(sharedGate(protocol))),
      ),
    ],
    gap: most(({ stepTimeout }) => stepTimeout),
    lasts: most(({ steps, stepTimeout }) => (steps.length - 1) * stepTimeout),
  }
}

function setsOf(doors: readonly SharedDoor[], capacity: number): TimedSet[] {
  const knocks = doors.flatMap((door) => door.knocks)
  const attempt = (name: string): TimedSet => {
    return { name, key: ['source'], perElement: true, capacity, remembers: true }
  }
  const admitted = [...new Set(doors.map(({ service }) => service.protocol))].map(
    (protocol): TimedSet => {
      return { name: admittedSet(protocol), key: ['source', 'port'], perElement: true, capacity }
    },
  )
  const closes = knocks.some(({ attempt }) => isClosing(attempt))
  const kinds: readonly CountedKind[] = closes
    ? ['knocks', 'grants', 'closes', 'resets', 'denied']
    : ['knocks', 'grants', 'resets', 'denied']
  return [
    attempt(STARTED),
    attempt(ADVANCED),
    ...admitted,
    // Room for the knocks of doors that come and go between two installs.
    ...kinds.map((kind): TimedSet => {
      return { name: countSet(kind), key: ['knock'], capacity: COUNTED_ROOM, counts: true }
    }),
  ]
}

/** As many elements as a counting set has at the most. */
const COUNTED_ROOM = 131_072
