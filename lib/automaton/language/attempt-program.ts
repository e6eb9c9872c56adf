// A compiled knock → what its attempts under way mean, without what the rest of the table makes of them. Pure.
import type { ValidKnock } from '../../spec/model/model.js'
import type { Rule, TimedSet } from './automaton.js'
import type { Attempt } from './names.js'
import type { KnockProgram } from './program.js'

/** One knock of one door as it judges packets. */
export interface AttemptProgram {
  readonly door: string
  readonly attempt: Attempt
  /** The same where an attempt that is under way can be carried on. */
  readonly program: unknown
}

/**
 * What of a program decides where an attempt is, and until when. Comments are left out, since they name a door's place
 * in the spec, what is told, and capacities: sets of another size take over what the old ones hold.
 *
 * @param program - compiled without what it does when it is complete: what a grant is has no part in getting one.
 */
export function describeAttempt(knock: ValidKnock, program: KnockProgram): AttemptProgram {
  const { door, attempt, sets, periodSets, service, endpoints, chains, wipe, reset } = program
  const parts = [
    sets.map(({ capacity: _, ...set }: TimedSet) => set),
    periodSets ?? [],
    service ? [service.of, service.rules.map(bare)] : [],
    endpoints.map(({ rules, invalidRules, ...place }) => [
      place,
      rules.map(bare),
      invalidRules.map(bare),
    ]),
    (chains ?? []).map(({ name, rules }) => [name, rules.map(bare)]),
    wipe.map(bare),
    reset,
    // Of which period a port is stands in the sets alone.
    knock.type === 'rotation' ? knock.every : 0,
  ]
  return { door: door.name, attempt, program: parts }
}

const bare = ({ comment: _, tells: _told, ...rule }: Rule): unknown => rule
