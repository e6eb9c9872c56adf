// Knocks that end with a packet to the service itself → the chains that judge such packets. Pure.
import type { Hook, ValidDoor } from '../../spec/model/model.js'
import { type Chain, goTo, inSet, jump, type Rule, stateIs } from '../language/automaton.js'
import { isStateful } from '../language/hook.js'
import { BANNED } from '../language/names.js'
import { onceEach } from '../language/once.js'
import { type KnockProgram, originOf } from '../language/program.js'

const serviceChain = ({ name }: ValidDoor): string => `service_${name}`
const arrivedChain = ({ name }: ValidDoor): string => `arrived_${name}`
const programChain = ({ door, attempt }: KnockProgram): string => `awaits_${attempt}_${door.name}`

/** The gate's rules: packets of sources with such an attempt are judged before they are refused. */
export const serviceRules = (door: ValidDoor, programs: readonly KnockProgram[]): Rule[] =>
  programs.flatMap((program) =>
    (program.service?.of ?? []).map((set) => ({
      when: [inSet(set)],
      verdict: goTo(serviceChain(door)),
      comment: `${originOf(program)} and then the service`,
    })),
  )

interface ServiceContext {
  readonly hook: Hook
  readonly bans: boolean
  readonly programs: readonly KnockProgram[]
  /** The gate's last rule, which refuses. */
  readonly deny: Rule
}

export function serviceChains(door: ValidDoor, context: ServiceContext): Chain[] {
  const programs = context.programs.filter(({ service }) => service)
  if (programs.length === 0) return []
  const skip = (when: Rule['when'], comment: string): Rule => {
    return { when, verdict: goTo(denyChain), comment }
  }
  const denyChain = `deny_${door.name}`
  const arrived = goTo(arrivedChain(door))
  return [
    {
      name: serviceChain(door),
      rules: [
        ...(context.bans ? [skip([inSet(BANNED)], 'banned')] : []),
        ...(isStateful(context.hook) ? [skip([stateIs('invalid')], 'starts nothing')] : []),
        ...onceEach(arrivedChain(door), { verdict: goTo(denyChain) }),
        skip([{ kind: 'protocol', protocols: ['tcp'] }], 'no SYN: begins nothing'),
        { when: [], verdict: arrived, comment: 'to the knocks that await it' },
      ],
    },
    {
      name: arrivedChain(door),
      rules: [
        ...programs.map((program) => ({
          when: [],
          verdict: jump(programChain(program)),
          comment: originOf(program),
        })),
        context.deny,
      ],
    },
    ...programs.map((program) => ({
      name: programChain(program),
      rules: program.service?.rules ?? [],
    })),
    { name: denyChain, rules: [context.deny] },
  ]
}
