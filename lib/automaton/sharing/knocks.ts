// Shared doors → the chains that judge their knocks, and the maps in which a door is a few entries.
// Pure.
//
// Each source has one attempt at most, since a knock at another door resets it. So a map from the
// source to a mark, the number of the knock and its stage, is all that is remembered. What becomes
// of a packet is one look-up of that mark and the packet's port.
import type { ValidBan } from '../../spec/model/model.js'
import { SYN } from '../../spec/model/step.js'
import { strikeVerdict } from '../door/ban.js'
import {
  type Action,
  type Chain,
  goTo,
  jump,
  type Match,
  type MoveMap,
  move,
  RETURN,
  type Rule,
  remove,
} from '../language/automaton.js'
import type { DataMap } from '../language/sets.js'
import type { SharedDoor, SharedKnock } from './choose.js'
import { counted, type KnocksContext, logged, movesOf } from './moves.js'
import { ADVANCED, KNOCKED, MOVES, markOf, SERVICES, STARTED } from './names.js'

export const JUDGE_SHARED = 'judge_shared'
/** The chain for packets that are no knocks, from sources that may have an attempt under way. */
export const LAPSE_SHARED = 'lapse_shared'
const LAPSE = 'lapse_known'
const WIPE = 'wipe_shared'
/** The chain for the packets to a knock port of a shared door. */
const OWN = 'judge_own'
/** The chain for knocks that are no step of a shared door. */
export const STRAY = 'stray'

const recall = (set: string): Action => ({ op: 'recall', set })
const NO_MARK: Action = { op: 'mark', value: 0 }
const MARKED: Match = { kind: 'marked' }

export function sharedKnocks(
  doors: readonly SharedDoor[],
  context: KnocksContext,
): { chains: Chain[]; moves: MoveMap; data: DataMap[] } {
  const knocks = doors.flatMap((door) => door.knocks.map((knock) => ({ knock, door })))
  const chains = new Map<string, Chain>()
  const entries = knocks.flatMap(({ knock, door }) => {
    const moves = movesOf(knock, door, context)
    for (const { chain } of moves) chains.set(chain.name, chain)
    const { steps, number } = knock
    return moves.map(({ stage, step, chain }) => {
      const { protocol, port } = steps[step - 1] as (typeof steps)[number]
      const mark = stage === 0 ? 0 : markOf(number, stage)
      const ports = { from: port, to: port }
      return { mark, protocol, ports, verdict: goTo(chain.name) }
    })
  })
  const hasTcp = knocks.some(({ knock }) => knock.steps.some(({ protocol }) => protocol === 'tcp'))
  return {
    chains: [...judging(hasTcp), ...ending(context.ban), ...chains.values()],
    moves: { name: MOVES, entries },
    data: [
      { name: KNOCKED, from: 'port', entries: knocks.flatMap(({ knock }) => placesOf(knock)) },
      {
        name: SERVICES,
        from: 'mark',
        entries: knocks.map(({ knock, door: { service } }) => {
          return { mark: markOf(knock.number, 0), port: service.port }
        }),
      },
    ],
  }
}

/** nft takes no longer comment. */
const LONGEST = 128

/** The entries that name a knock's ports, each once. */
function placesOf({ steps, door, attempt, number }: SharedKnock) {
  const places = new Map<string, { steps: number[]; place: SharedKnock['steps'][number] }>()
  for (const [index, place] of steps.entries()) {
    const key = `${place.protocol}/${place.port}`
    const known = places.get(key)
    if (known) known.steps.push(index + 1)
    else places.set(key, { steps: [index + 1], place })
  }
  return [...places.values()].map(({ steps: own, place }) => {
    const comment = `${door.name} ${attempt} ${own.join(',')}/${steps.length}`
    return { ...place, mark: markOf(number, 0), comment: comment.slice(0, LONGEST) }
  })
}

/** The chains through which all knock packets go. */
function judging(hasTcp: boolean): Chain[] {
  const all = (then: Action[], comment: string): Rule => ({ when: [], then, comment })
  const look: Rule = { when: [], verdict: move(MOVES), comment: 'the next step, if it is one' }
  const noSyn: Match = { kind: 'flags', flags: SYN, not: true }
  const remembered = [
    all([recall(STARTED)], 'after the first knock'),
    all([recall(ADVANCED)], 'after a later knock'),
  ]
  const wrong: Rule = { when: [MARKED], verdict: jump(WIPE), comment: 'a wrong knock' }
  const none = all([NO_MARK], 'no attempt')
  const marked = passMarked('a mark of others stays, and the reset is not logged')
  return [
    {
      name: JUDGE_SHARED,
      rules: [
        ...(hasTcp ? [{ when: [noSyn], verdict: goTo(STRAY), comment: 'no knock' }] : []),
        { ...all([{ op: 'look-up', map: KNOCKED }], 'whose knock it is'), verdict: goTo(OWN) },
        { when: [], verdict: goTo(STRAY), comment: 'a knock at another door' },
      ],
    },
    {
      name: OWN,
      rules: [
        all([counted('knocks')], 'a knock of its door'),
        none,
        ...remembered,
        look,
        wrong,
        none,
        { ...look, comment: 'the first step, if it is one' },
      ],
    },
    { name: STRAY, rules: [marked, ...remembered, wrong, none] },
  ]
}

/** Ends the attempt of a packet that must keep the mark with which it came. */
const passMarked = (comment: string): Rule => ({
  when: [MARKED],
  then: [remove(STARTED), remove(ADVANCED)],
  verdict: RETURN,
  comment,
})

/** The chains that end attempts. */
function ending(ban: ValidBan | undefined): Chain[] {
  const end = (verdict: Rule['verdict'] & object, comment: string): Rule[] => [
    { when: [], then: [counted('resets')], comment },
    {
      when: [],
      then: [remove(STARTED), remove(ADVANCED)],
      verdict,
      logs: logged('reset'),
      comment,
    },
  ]
  return [
    { name: WIPE, rules: end(strikeVerdict(ban), 'reset by a wrong knock') },
    {
      name: LAPSE_SHARED,
      rules: [
        passMarked('a mark of others stays, and the reset is not logged'),
        { when: [], then: [recall(STARTED)], comment: 'after the first knock' },
        { when: [], then: [recall(ADVANCED)], comment: 'after a later knock' },
        { when: [MARKED], verdict: jump(LAPSE), comment: 'reset by what is no knock' },
        { when: [], then: [NO_MARK], comment: 'the packet goes on as it came' },
      ],
    },
    { name: LAPSE, rules: end(RETURN, 'reset by what is no knock') },
  ]
}
