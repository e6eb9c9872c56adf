// The devices of doors at ingress → a table of family netdev that drops frames with two VLAN tags
// of which one has number 0. Pure.
//
// The kernel shows an inet table no such frame: it takes off one tag, and accepts what is neither
// IPv4 nor IPv6 behind it. But the host ignores tags of number 0, so the packet in the frame would
// reach it past the door.
import type { Automaton } from '../automaton/language/automaton.js'
import type { NftCommand, NftDocument, NftStatement, NftTable } from './document.js'
import { isContent, listedObjects, listOf } from './parts.js'

const CHAIN = 'knocklib_tags'
const COMMENTS = ['two tags, the first of number 0', 'two tags, the second of number 0'] as const
/**
 * The offsets in bits of the first and the second tag's number. nft counts the tag that the kernel
 * has taken off.
 */
const NUMBERS = [116, 148] as const
const BITS = 12

const here = (name: string) => ({ table: { family: 'netdev', name } }) as const

/**
 * Renders the commands that make the table anew, whether it exists or not. Empty if the doors are
 * at another hook.
 */
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

/** Renders the commands that remove the table, whether it exists or not. */
export const renderNoTags = (table: string): NftCommand[] => [
  { add: here(table) },
  { delete: here(table) },
]

/** Filters the commands that are about this table. */
export const tagsOf = ({ nftables }: NftDocument): NftCommand[] => nftables.filter(isOfTags)

/** Whether a command is about this table. */
export function isOfTags(command: NftCommand): boolean {
  const [object] = Object.values(command)
  const [content] = Object.values((object ?? {}) as Record<string, NftTable>)
  return content?.family === 'netdev'
}

/** Changes the commands so that they fail if a table of that name exists. */
export function withNewTags(commands: readonly NftCommand[]): NftCommand[] {
  const [first] = commands.filter(isOfTags)
  return commands.flatMap((command): NftCommand[] => {
    if (!isOfTags(command)) return [command]
    if (command === first) return 'add' in command ? [{ create: here(nameOf(command)) }] : []
    const isTable = Object.values(command).some((object) => 'table' in object)
    return isTable ? [] : [command]
  })
}

/** The name of the table that a command makes; '' if it makes none. */
export const nameOf = (command: NftCommand | undefined): string =>
  command && 'add' in command && 'table' in command.add ? command.add.table.name : ''

/**
 * What the installed table of that name is: `none`, made by others (`foreign`), made by knocklib
 * for another document (`altered`) or for this one (`intact`).
 */
export type StandingTags = 'none' | 'foreign' | 'altered' | 'intact'

/**
 * Compares the installed table with the document.
 *
 * @param listing - undefined if there is no table. A table without chains is not foreign: there is
 * nothing in it that anybody could miss.
 */
export function standingTags(listing: unknown, document: NftDocument): StandingTags {
  const objects = listedObjects(listing).filter((object) => !isKind(object, 'metainfo'))
  // An `Nft` that supports only inet answers with the inet table.
  const isOther = objects.some((object) => JSON.stringify(object).includes('"family":"inet"'))
  if (objects.length === 0 || isOther) return 'none'
  if (isForeign(listing)) return 'foreign'
  const wanted = tagsOf(document).flatMap((command) => ('add' in command ? [command.add] : []))
  const [expected, found] = [shapesOf(wanted), shapesOf(objects)]
  const isSame = expected.length === found.length && expected.every((one, i) => fits(one, found[i]))
  return isSame ? 'intact' : 'altered'
}

/** Whether others have put something into the listed table. */
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

/** The chains, each with its rules behind it. */
function shapesOf(objects: readonly unknown[]): Shape[] {
  const contents = (kind: string) =>
    objects.flatMap((object) => {
      const content = isContent(object) ? object[kind] : undefined
      return isContent(content) ? [content] : []
    })
  const rules = contents('rule')
  // A dormant table judges nothing, so the flags count.
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

/** nft 1.0.6 does not list the device. */
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

/** Whether a listed table has doors at ingress. */
export const isAtIngress = (listing: unknown): boolean =>
  listedObjects(listing).some((object) => {
    const chain = isContent(object) ? object['chain'] : undefined
    return isContent(chain) && chain['hook'] === 'ingress'
  })
