// A shared knock → its moves: which packet leads a source from which stage to which chain. Pure.
import type { ValidBan } from '../../spec/model/model.js'
import { forgive } from '../door/ban.js'
import {
  type Action,
  type Chain,
  DROP,
  goTo,
  type Rule,
  remove,
  update,
  updateFor,
} from '../language/automaton.js'
import type { Logged } from '../language/log-prefix.js'
import { isClosing } from '../language/names.js'
import type { SharedDoor, SharedKnock } from './choose.js'
import {
  ADVANCED,
  admittedSet,
  type CountedKind,
  countSet,
  KNOCKED,
  SERVICES,
  STARTED,
} from './names.js'

export interface KnocksContext {
  readonly ban: ValidBan | undefined
  /** The set of sources that are knocking. */
  readonly knocking: string
}

/** A chain, and the entry of the map of moves that leads to it. */
interface Move {
  /** The stage in which the source is; 0: no attempt. */
  readonly stage: number
  /** The step that the packet is. */
  readonly step: number
  readonly chain: Chain
}

export const counted = (kind: CountedKind): Action => update(countSet(kind))
const setStage = (stage: number): Action => ({ op: 'stage', stage })
export const logged = (event: Logged['event']): Logged => ({ event, shared: true })

/** The transitions of a knock. The order decides: advance, then duplicate, then start over. */
export function movesOf(
  knock: SharedKnock,
  { service }: SharedDoor,
  context: KnocksContext,
): Move[] {
  const { steps, stepTimeout, attempt, door } = knock
  const last = steps.length
  const done = isClosing(attempt)
    ? closing(last, service.protocol, context)
    : completing(last, service.protocol, door.open.for, context)
  const begin = last === 1 ? done : beginning(stepTimeout, context)
  const restart = last > 2 ? restarting(begin) : begin
  const is = (step: number, other: number): boolean => {
    const [a, b] = [steps[step - 1], steps[other - 1]]
    return a?.protocol === b?.protocol && a?.port === b?.port
  }
  const moves: Move[] = [{ stage: 0, step: 1, chain: begin }]
  for (let stage = 1; stage < last; stage += 1) {
    const next = stage + 1
    moves.push({
      stage,
      step: next,
      chain: next === last ? done : advancing(next, stepTimeout, context),
    })
    const isDuplicate = stage > 1 && !is(stage, next)
    if (isDuplicate) moves.push({ stage, step: stage, chain: DUPLICATE })
    if (is(1, next) || (stage > 1 && is(1, stage))) continue
    moves.push({ stage, step: 1, chain: stage > 1 ? restart : begin })
  }
  return moves
}

const drop = (then: Action[], comment: string, event?: Logged['event']): Rule => ({
  when: [],
  then,
  verdict: DROP,
  ...(event && { logs: logged(event) }),
  comment,
})

const NO_ROOM: Rule = drop([], 'no room to remember it')

function beginning(stepTimeout: number, { knocking }: KnocksContext): Chain {
  const then: Action[] = [
    { op: 'look-up', map: KNOCKED },
    setStage(1),
    update(knocking),
    updateFor(STARTED, stepTimeout),
  ]
  return { name: `begin_${stepTimeout}`, rules: [drop(then, 'start', 'knock'), NO_ROOM] }
}

const restarting = (begin: Chain): Chain => ({
  name: `re${begin.name}`,
  rules: [{ when: [], then: [remove(ADVANCED)], verdict: goTo(begin.name), comment: 'start over' }],
})

/** A correct knock that finds a set full ends the attempt, without a strike. */
const noRoom = (stage: number): Rule =>
  drop([remove(STARTED), remove(ADVANCED), setStage(stage), counted('resets')], 'no room', 'reset')

function advancing(step: number, stepTimeout: number, { knocking }: KnocksContext): Chain {
  const to = updateFor(ADVANCED, stepTimeout)
  // What a map remembers does not change by an update, so the old element goes first. It never
  // takes the room of the first stage, which strangers fill.
  const then = step === 2 ? [to, remove(STARTED)] : [remove(ADVANCED), to]
  return {
    name: `advance${step}_${stepTimeout}`,
    rules: [
      drop([setStage(step), update(knocking), ...then], 'advance', 'knock'),
      noRoom(step - 1),
    ],
  }
}

const DUPLICATE: Chain = { name: 'duplicate', rules: [drop([], 'duplicate')] }

function completing(
  last: number,
  protocol: 'tcp' | 'udp',
  seconds: number,
  { ban }: KnocksContext,
): Chain {
  const grant: Action[] = [updateFor(admittedSet(protocol), seconds), counted('grants')]
  return ended(`complete${last}_${protocol}_${seconds}`, last, 'granted', [
    ...grant,
    ...forgive(ban),
  ])
}

const closing = (last: number, protocol: 'tcp' | 'udp', { ban }: KnocksContext): Chain =>
  ended(`close${last}_${protocol}`, last, 'closed', [
    remove(admittedSet(protocol)),
    counted('closes'),
    ...forgive(ban),
  ])

/**
 * The chain of a last knock. It drops the packet, so the packet's port can carry that of the
 * service into the key of the grant.
 */
function ended(name: string, last: number, event: Logged['event'], does: Action[]): Chain {
  const whose: Action[] = last === 1 ? [{ op: 'look-up', map: KNOCKED }] : [setStage(0)]
  const aim: Action = { op: 'look-up', map: SERVICES }
  const forget = last === 1 ? [] : [remove(STARTED), remove(ADVANCED)]
  const then = [...whose, aim, ...does, ...forget, setStage(last)]
  const rules = [drop(then, 'complete', event), last === 1 ? NO_ROOM : noRoom(last - 1)]
  return { name, rules }
}
