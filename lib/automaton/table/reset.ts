// The chains that end attempts when a packet fits no step, and the sets that find the sources with
// an attempt under way. Pure.
//
// A packet of a source without an attempt costs one look-up, however many doors there are. For
// other sources attempts are found through groups, so that a reset with a thousand doors walks
// dozens of rules and not thousands.
import { atDoor } from '../door/here.js'
import {
  type Action,
  type Chain,
  goTo,
  inSet,
  jump,
  type Match,
  onPort,
  RETURN,
  type Rule,
  remove,
  update,
} from '../language/automaton.js'
import { type KnockProgram, originOf } from '../language/program.js'
import type { TimedSet } from '../language/sets.js'

/** The most attempts, and groups of attempts, that one chain walks. */
const FAN_OUT = 32

/** The modes in which something resets an attempt. */
type ResettingMode = 'any' | 'knock-ports'

/** The attempts of shared doors: the chain that ends a source's, and the longest gap in one. */
export interface SharedAttempts {
  readonly lapse: string
  readonly gap: number
}

/** All attempts that are reset in one mode. */
export class ResetDomain {
  readonly #mode: ResettingMode
  readonly #grouped: boolean
  readonly #members: KnockProgram[] = []
  #shared: SharedAttempts | undefined

  /** @param expected - how many attempts will join at most. */
  constructor(mode: ResettingMode, expected: number) {
    this.#mode = mode
    this.#grouped = expected > FAN_OUT
  }

  get mode(): ResettingMode {
    return this.#mode
  }

  /** The set of sources with an attempt under way. */
  get knocking(): string {
    return this.#mode === 'any' ? 'knocking' : 'knocking_ports'
  }

  /**
   * The chain for knock packets. It ends a source's attempts, except those of which the packet is a
   * step.
   */
  get chain(): string {
    return this.#mode === 'any' ? 'reset_any' : 'reset_ports'
  }

  /**
   * The chain for other packets. It ends all attempts of a source, which is then not knocking any
   * more.
   */
  get lastChain(): string {
    return `${this.chain}_last`
  }

  get isEmpty(): boolean {
    return !this.hasMembers && !this.#shared
  }

  /** Whether knock packets must be led to the attempts. Shared doors judge them with their own. */
  get hasMembers(): boolean {
    return this.#members.length > 0
  }

  /** The actions that mark a source as knocking, for the program that joins next. */
  nextTouch(): Action[] {
    const group = groupOf(this.#members.length)
    return [update(this.knocking), ...(this.#grouped ? [update(this.#groupSet(group))] : [])]
  }

  join(program: KnockProgram): void {
    this.#members.push(program)
  }

  /** Adds the attempts of all shared doors. */
  share(shared: SharedAttempts): void {
    this.#shared = shared
  }

  sets(capacity: number): TimedSet[] {
    if (this.isEmpty) return []
    // Each knock renews the mark. One second more than the longest gap, so that a mark never ends
    // before its stage.
    const gaps = [...this.#members, ...(this.#shared ? [this.#shared] : [])].map(({ gap }) => gap)
    const timeout = Math.max(...gaps) + 1
    const groups =
      this.#grouped && this.hasMembers ? this.#groups().map((group) => this.#groupSet(group)) : []
    return [this.knocking, ...groups].map((name) => {
      return { name, key: ['source'], timeout, perElement: true, capacity }
    })
  }

  chains(): Chain[] {
    if (this.isEmpty) return []
    return [...this.#walk(), ...this.#members.flatMap((program) => this.#attemptChains(program))]
  }

  /**
   * A knock packet does not delete the mark: a deleted element keeps its place in the set for
   * seconds, so a flood of knocks from few sources would fill it. Any other packet deletes the
   * mark, so that the next one costs one look-up again.
   */
  #walk(): Chain[] {
    const knock = this.hasMembers ? this.#visits(this.chain, resetChain) : []
    // Only knock packets reset these attempts.
    if (this.#mode !== 'any') return knock
    const forget: Rule = {
      when: [],
      then: [remove(this.knocking)],
      comment: 'reset: not knocking any more',
    }
    const [first, ...groups] = this.#visits(this.lastChain, (program) =>
      isStruck(program) ? lapseChain(program) : wipeChain(program),
    ) as [Chain, ...Chain[]]
    const lapse: Rule[] = this.#shared
      ? [{ when: [], verdict: jump(this.#shared.lapse), comment: 'shared doors reset' }]
      : []
    return [...knock, { ...first, rules: [forget, ...lapse, ...first.rules] }, ...groups]
  }

  /** Makes the chain that leads to one chain of each member, directly or through groups. */
  #visits(name: string, chainOf: (program: KnockProgram) => string): Chain[] {
    const visit = (program: KnockProgram): Rule => ({
      when: [],
      verdict: jump(chainOf(program)),
      comment: origin(program, 'reset'),
    })
    if (!this.#grouped || !this.hasMembers) return [{ name, rules: this.#members.map(visit) }]
    const isLast = name === this.lastChain
    const groups = this.#groups()
    const groupChain = (group: number): string => `${name}_g${group}`
    const find = groups.map((group): Rule => {
      const set = this.#groupSet(group)
      return {
        when: [inSet(set)],
        then: isLast ? [remove(set)] : [],
        verdict: jump(groupChain(group)),
        comment: 'reset: a group of attempts',
      }
    })
    return [
      { name, rules: find },
      ...groups.map((group): Chain => {
        const members = this.#members.slice(group * FAN_OUT, (group + 1) * FAN_OUT)
        return { name: groupChain(group), rules: members.map(visit) }
      }),
    ]
  }

  #attemptChains(program: KnockProgram): Chain[] {
    const chains = attemptChains(program)
    if (this.#mode !== 'any' || !isStruck(program)) return chains
    // An ordinary packet is no strike: anybody can send one with a forged source, without knowing a
    // knock port.
    const rules = program.wipe.map((rule): Rule => ({ ...rule, verdict: RETURN }))
    return [...chains, { name: lapseChain(program), rules }]
  }

  #groups(): number[] {
    return Array.from({ length: groupOf(this.#members.length - 1) + 1 }, (_, group) => group)
  }

  #groupSet(group: number): string {
    return `${this.knocking}_g${group}`
  }
}

const groupOf = (place: number): number => Math.floor(place / FAN_OUT)

const resetChain = ({ attempt, door }: KnockProgram): string => `reset_${attempt}_${door.name}`

/** The name of the chain that ends an attempt, whatever the packet. */
export const wipeChain = ({ attempt, door }: KnockProgram): string => `wipe_${attempt}_${door.name}`

/** The same for a packet that is no knock, and so no strike. */
const lapseChain = ({ attempt, door }: KnockProgram): string => `lapse_${attempt}_${door.name}`

const isStruck = ({ wipe }: KnockProgram): boolean =>
  wipe.some(({ verdict }) => verdict?.kind === 'goto')

const origin = (program: KnockProgram, purpose: string): string => `${originOf(program)} ${purpose}`

function attemptChains(program: KnockProgram): Chain[] {
  const goOn: Rule = {
    when: [],
    verdict: goTo(wipeChain(program)),
    comment: origin(program, 'reset'),
  }
  return [
    { name: resetChain(program), rules: [...ownSteps(program), goOn] },
    { name: wipeChain(program), rules: program.wipe },
  ]
}

/** Skips the packets that the program's own endpoints judge. */
function ownSteps(program: KnockProgram): Rule[] {
  const here = atDoor(program.door)
  const comment = origin(program, 'judges this itself')
  return program.endpoints.flatMap(({ port, range, packets }): Rule[] => {
    if (port) {
      const match = onPort(port.protocol, port.port)
      return [{ when: [match, ...here], verdict: RETURN, comment }]
    }
    const any: Match = range ? onPort(range.protocol, range.ports) : { kind: 'echo-request' }
    return packets.map((packet) => ({
      ...packet,
      when: [any, ...packet.when, ...here],
      verdict: RETURN,
      comment,
    }))
  })
}
