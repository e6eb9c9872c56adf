// What a table says of itself: a chain that no packet comes to, whose rules bear comments. Pure.
//
// Comments of tables, chains and sets are lost on some versions of nft; those of rules are kept by all.
import { createHash } from 'node:crypto'
import type { Automaton, DoorSummary } from '../automaton/automaton.js'
import type { NftCommand } from './document.js'

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

/** The comments of the rules of the about chain. */
export function aboutRules({ doors }: Automaton, content: readonly NftCommand[]): string[] {
  const digest = createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 32)
  return [
    `knocklib ${LAYOUT} ${digest}`,
    ...doors.flatMap(({ name, services, steps, grantTimeout, connections }) => [
      `door ${name} ${steps} ${grantTimeout}${connections === undefined ? '' : ` ${connections}`}`,
      ...services.map((service) => `service ${name} ${service}`),
    ]),
  ]
}

/** The comment that proves a ruleset to be in place: the first of its document's about chain. */
export function digestOf(comments: readonly string[]): string | undefined {
  return /^knocklib \d+ ([0-9a-f]{32})$/.exec(comments[0] ?? '')?.[1]
}

/** Reads the comments back; undefined where the table is not one of ours, or of a layout that we don't know. */
export function parseAbout(comments: readonly string[]): About | undefined {
  const digest = digestOf(comments)
  if (digest === undefined || !comments[0]?.startsWith(`knocklib ${LAYOUT} `)) return undefined
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
