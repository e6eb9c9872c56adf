// The devices of doors at ingress → a table of family netdev that drops frames with two VLAN tags,
// one of number 0. Pure.
//
// The kernel shows an inet table no such frame: it takes off one tag, and accepts what is neither
// IPv4 nor IPv6 behind it. The host takes tags of number 0 for none, and would have the packet in
// them by the door.
import type { Automaton } from '../automaton/language/automaton.js'
import type { NftCommand, NftDocument, NftStatement, NftTable } from './document.js'
import { isContent, listedObjects, listOf } from './parts.js'

const CHAIN = 'knocklib_tags'
const COMMENTS = ['two tags, the first of number 0', 'two tags, the second of number 0'] as const
/**
 * Bits from the start of the frame to the first tag's number and to the second's. nft counts the
 * tag in that the kernel has taken off.
 */
const NUMBERS = [116, 148] as const
const BITS = 12

const here = (name: string) => ({ table: { family: 'netdev', name } }) as const

/** Makes the table anew whether it stands or not; nothing where the doors are at another hook. */
export function renderTags({ table, chains }: Pick<Automaton, 'table' | 'chains'>): NftCommand[] {
  const bases = chains.flatMap(({ base }) => (base?.device === undefined ? [] : [base]))
  if (bases.length === 0) return []
  const content = bases.flatMap(({ device, priority }, index): NftCommand[] => {
    const place = { family: 'netdev', table } as const
    const chain = `${CHAIN}${index + 1}`
    const base = { type: 'filter', hook: 'ingress', dev: device as string } as const
    return [
      {
        add: { chain: { ...place, name: chain, ...base, prio: priority - 1, policy: 'accept' } },
      },
      ...COMMENTS.map((comment, of): NftCommand => {
        return { add: { rule: { ...place, chain, comment, expr: dropOf(NUMBERS[of] as number) } } }
      }),
    ]
  })
  return [...renderNoTags(table), { add: here(table) }, ...content]
}

const dropOf = (offset: number): NftStatement[] => [
  { match: { op: '==', left: { meta: { key: 'protocol' } }, right: { set: ['8021q', '8021ad'] } } },
  { match: { op: '==', left: { payload: { base: 'll', offset, len: BITS } }, right: 0 } },
  { drop: null },
]

/** Removes the table whether it stands or not. */
export const renderNoTags = (table: string): NftCommand[] => [
  { add: here(table) },
  { delete: here(table) },
]

/** The commands of a document or of a change that are about this table. */
export const tagsOf = ({ nftables }: NftDocument): NftCommand[] => nftables.filter(isOfTags)

/** Whether a command is about this table. */
export function isOfTags(command: NftCommand): boolean {
  const [object] = Object.values(command)
  const [content] = Object.values((object ?? {}) as Record<string, NftTable>)
  return content?.family === 'netdev'
}

/** The same commands, but so that they fail if a table of that name stands. */
export function withNewTags(commands: readonly NftCommand[]): NftCommand[] {
  const [first] = commands.filter(isOfTags)
  return commands.flatMap((command): NftCommand[] => {
    if (!isOfTags(command)) return [command]
    if (command === first) return 'add' in command ? [{ create: here(nameOf(command)) }] : []
    const isTable = Object.values(command).some((object) => 'table' in object)
    return isTable ? [] : [command]
  })
}

/** Of the table that a command makes. */
export const nameOf = (command: NftCommand | undefined): string =>
  command && 'add' in command && 'table' in command.add ? command.add.table.name : ''

/**
 * What stands under the name of the table: nothing, what others have made, our own as another
 * document has it or as this one.
 */
export type StandingTags = 'none' | 'foreign' | 'altered' | 'intact'

/**
 * @param listing - undefined if there is none. One without chains holds nothing that anybody could
 * miss.
 */
export function standingTags(listing: unknown, document: NftDocument): StandingTags {
  const objects = listedObjects(listing).filter((object) => !isKind(object, 'metainfo'))
  // An `Nft` that knows inet alone lists that.
  const isOther = objects.some((object) => JSON.stringify(object).includes('"family":"inet"'))
  if (objects.length === 0 || isOther) return 'none'
  if (isForeign(listing)) return 'foreign'
  const wanted = tagsOf(document).flatMap((command) => ('add' in command ? [command.add] : []))
  const [expected, found] = [shapesOf(wanted), shapesOf(objects)]
  const isSame = expected.length === found.length && expected.every((one, i) => fits(one, found[i]))
  return isSame ? 'intact' : 'altered'
}

/** Whether others have put something into the table, as listed. */
export const isForeign = (listing: unknown): boolean =>
  listedObjects(listing).some((object) => !isOurs(object))

function isOurs(object: unknown): boolean {
  if (isKind(object, 'table') || isKind(object, 'metainfo')) return true
  const [[kind, content] = []] = Object.entries(isContent(object) ? object : {})
  const name = isContent(content) ? content[kind === 'rule' ? 'chain' : 'name'] : undefined
  return (kind === 'rule' || kind === 'chain') && String(name).startsWith(CHAIN)
}

const isKind = (object: unknown, kind: string): boolean => isContent(object) && kind in object

type Shape = Readonly<{ text: string; dev?: unknown }>

/** Chains and rules, each chain with its rules behind it. */
function shapesOf(objects: readonly unknown[]): Shape[] {
  const contents = (kind: string) =>
    objects.flatMap((object) => {
      const content = isContent(object) ? object[kind] : undefined
      return isContent(content) ? [content] : []
    })
  const rules = contents('rule')
  // A table that sleeps judges nothing.
  const [flags = []] = contents('table').map(({ flags }) => flags)
  return [
    { text: JSON.stringify(flags) },
    ...contents('chain').flatMap(({ name, type, hook, prio, policy, dev }): Shape[] => [
      { text: JSON.stringify([name, type, hook, prio, policy]), dev },
      ...rules.flatMap(({ chain, comment, expr }) =>
        chain === name ? [{ text: JSON.stringify([comment, listOf(expr).map(canonical)]) }] : [],
      ),
    ]),
  ]
}

/** nft 1.0.6 lists no device. */
const fits = (expected: Shape, found: Shape | undefined): boolean =>
  expected.text === found?.text && (found.dev === undefined || found.dev === expected.dev)

/** nft 1.0.6 lists 12 bits as 16 with a mask. */
function canonical(statement: unknown): unknown {
  const match = isContent(statement) ? statement['match'] : undefined
  const left = isContent(match) ? match['left'] : undefined
  const [what, mask] = listOf(isContent(left) ? left['&'] : undefined)
  const payload = isContent(what) ? what['payload'] : undefined
  if (!isContent(match) || !isContent(payload) || mask !== 0xfff) return statement
  const { base, offset } = payload
  return {
    match: {
      op: match['op'],
      left: { payload: { base, offset: Number(offset) + 16 - BITS, len: BITS } },
      right: match['right'],
    },
  }
}

/** Whether a table, as listed, has doors at ingress. */
export const isAtIngress = (listing: unknown): boolean =>
  listedObjects(listing).some((object) => {
    const chain = isContent(object) ? object['chain'] : undefined
    return isContent(chain) && chain['hook'] === 'ingress'
  })
