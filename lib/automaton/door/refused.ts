// A door before all of TCP → the rules that refuse a SYN in front of its gate while its refusals
// are not logged. Pure.
import type { ValidDoor, ValidSpec } from '../../spec/model/model.js'
import { count, DROP, notInSet, type Rule } from '../language/automaton.js'
import { isStateful } from '../language/hook.js'
import { quietMatches } from '../language/log.js'
import { counterName, grantsSet, TRUSTED, unloggedCounter } from '../language/names.js'
import type { KnockProgram } from '../language/program.js'
import { atDoor } from './here.js'

const isOfTcp = ({ services }: ValidDoor): boolean =>
  services.some(({ protocol, ports }) => protocol === 'tcp' && !ports)

/**
 * Makes the rules; empty if the gate could decide otherwise. They save a packet of a flood the way
 * through the gate and the log. Before conntrack each TCP packet that comes here is a SYN, and the
 * gate refuses it unless its source is trusted or granted. Left out:
 *
 * - doors that redirect, which also let through what belongs to a redirected connection
 * - doors whose knock ends with a packet to the service
 * - doors beside another one before all of TCP, which may let in what this one refuses
 */
export function refuseEarly(
  door: ValidDoor,
  { doors, guard, hook, log }: ValidSpec,
  programs: readonly KnockProgram[],
): Rule[] {
  const { name, open, origin } = door
  const isAlone = doors.every((other) => other === door || !isOfTcp(other))
  const isAwaited = programs.some((program) => program.door === door && program.service)
  if (!log || isStateful(hook) || !isOfTcp(door) || open.redirectTo || !isAlone || isAwaited) {
    return []
  }
  const trusted = guard.trusted.length > 0 ? [notInSet(TRUSTED)] : []
  return quietMatches({ event: 'denied', door: name }, DROP).map((quiet) => ({
    when: [
      { kind: 'protocol', protocols: ['tcp'] },
      quiet,
      ...atDoor(door),
      notInSet(grantsSet(name)),
      ...trusted,
    ],
    then: [count(unloggedCounter(counterName('denied', name)))],
    verdict: DROP,
    comment: `${name} ${origin}/service refused, not logged`,
  }))
}
