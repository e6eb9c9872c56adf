// What a table says of itself: a chain that no packet comes to, whose rules bear comments. Pure.
//
// Comments of tables, chains and sets are lost on some versions of nft; those of rules are kept by all.
import { createHash } from 'node:crypto'
import type { Automaton, DoorSummary } from '../automaton/automaton.js'
import type { NftCommand, NftDocument } from './document.js'

export const ABOUT_CHAIN = 'about'

/** Changes when a newer knocklib could misread the tables of an older one. */
const LAYOUT = 1

/** What is read back of a table. */
export interface About {
  readonly layout: number
  /** The same for the same ruleset. */
  readonly digest: string
  readonly doors: readonly DoorSummary[]
}

/** The same for the same commands: 32 hex digits. */
export function digestCommands(commands: readonly NftCommand[]): string {
  return createHash('sha256').update(JSON.stringify(commands)).digest('hex').slice(0, 32)
}

/** The comments of the rules of the about chain. */
export function aboutRules({ doors }: Automaton, digest: string): string[] {
  return [
    `knocklib ${LAYOUT} ${digest}`,
    ...doors.flatMap(({ name, services, steps, grantTimeout, connections }) => [
      `door ${name} ${steps} ${grantTimeout}${connections === undefined ? '' : ` ${connections}`}`,
      ...services.map((service) => `service ${name} ${service}`),
    ]),
  ]
}

const MARKER = 'ruleset_'

/**
 * The set whose name proves that a ruleset is in place. One set is listed in milliseconds whatever the table's size;
 * for a chain nft 1.0.6 reads all sets of the table, 0.7 s with a thousand doors.
 */
export const markerSet = (digest: string): string => `${MARKER}${digest}`

/** The marker's name in a document that makes a table. */
export function markerOf({ nftables }: NftDocument): string {
  for (const command of nftables) {
    if ('add' in command && 'set' in command.add && command.add.set.name.startsWith(MARKER)) {
      return command.add.set.name
    }
  }
  throw new Error('unreachable: no marker')
}

/** Whether the comments of a table's about chain say that knocklib made it, in whatever layout. */
export const isOurs = (comments: readonly string[] | undefined): boolean =>
  /^knocklib \d+ [0-9a-f]{32}$/.test(comments?.[0] ?? '')

/** Reads the comments back; undefined where the table is not one of ours, or of a layout that we don't know. */
export function parseAbout(comments: readonly string[]): About | undefined {
  const [first = ''] = comments
  if (!isOurs(comments) || !first.startsWith(`knocklib ${LAYOUT} `)) return undefined
  const digest = first.slice(first.lastIndexOf(' ') + 1)
  const doors = new Map<string, DoorSummary>()
  for (const comment of comments.slice(1)) {
    const door = /^door (\w+) (\d+) (\d+)(?: (\d+))?$/.exec(comment)
    const service = /^service (\w+) (\S+)$/.exec(comment)
    const known = doors.get(service?.[1] ?? '')
    if (door) {
      const [, name = '', steps, grantTimeout, connections] = door
      doors.set(name, {
        name,
        services: [],
        steps: Number(steps),
        grantTimeout: Number(grantTimeout),
        connections: connections === undefined ? undefined : Number(connections),
      })
    } else if (service && known) {
      doors.set(known.name, { ...known, services: [...known.services, service[2] as string] })
    } else {
      return undefined
    }
  }
  return { layout: LAYOUT, digest, doors: [...doors.values()] }
}
