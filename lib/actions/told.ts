// An event and its table → what an action gets: variables of an environment, and a JSON document.
// Pure.
import type { ActionOn, ValidAction } from '../spec/model/model.js'
import type { KnockEvent } from '../view/event.js'

/** An event that an action can name. */
export type ActedEvent = Extract<KnockEvent, { event: ActionOn }>

/** What an action gets. */
export interface Told {
  /** `KNOCK_EVENT`, `KNOCK_DOOR` and so on: a variable for each part that the event has. */
  readonly variables: Readonly<Record<string, string>>
  /** One line of JSON, without a newline. */
  readonly document: string
}

export function tellOf(event: ActedEvent, table: string): Told {
  const { time, event: name, ...rest } = event
  const parts = { time, event: name, table, ...rest }
  const variables = Object.entries(parts)
    .filter(([, value]) => typeof value === 'string' || typeof value === 'number')
    .map(([key, value]) => [variableOf(key), String(value)])
  return { variables: Object.fromEntries(variables), document: JSON.stringify(parts) }
}

/** `expiresIn` becomes `KNOCK_EXPIRES_IN`. */
const variableOf = (key: string): string =>
  `KNOCK_${key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`

/** Whether an action is done at an event. */
export function isActedOn({ on, doors }: ValidAction, event: KnockEvent): event is ActedEvent {
  if (!(on as readonly string[]).includes(event.event)) return false
  return !doors || ('door' in event && event.door !== undefined && doors.includes(event.door))
}

/**
 * Events with the same lane are acted on one after the other: those of one door, or of one source
 * if they have no door.
 */
export const laneOf = (event: ActedEvent): string => {
  if ('door' in event) return `door ${event.door}`
  return 'source' in event ? `source ${event.source}` : ''
}

/** The reason of an action whose signal was aborted before it was done. */
export const ENDED = 'ended before it was done'
