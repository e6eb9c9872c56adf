// Doors and events → the doors' grants and attempts after these events. Pure.
import type { KnockEvent } from '../../index.js'
import type { LiveDoor } from './live-model.js'

export type DoorEvent = Extract<KnockEvent, { door: string }>

/** The source of the grant, the attempt or the ban that an event is about. */
export const holderOf = (event: { readonly source: string; readonly block?: string }): string =>
  event.block ?? event.source

/** What a door knows of one source. */
type Known = Pick<LiveDoor, 'grants' | 'progress'>

const WITHOUT_EFFECT: ReadonlySet<KnockEvent['event']> = new Set([
  ...(['action-failed', 'denied', 'wrong'] as const),
])

/** Applies events. Doors that are not known yet come with the next status. */
export const changeDoors = (
  doors: readonly LiveDoor[],
  events: readonly DoorEvent[],
): readonly LiveDoor[] =>
  doors.map((door) => {
    const own = events.filter(
      (event) => event.door === door.name && !WITHOUT_EFFECT.has(event.event),
    )
    return own.length === 0 ? door : changeDoor(door, own)
  })

/**
 * Walks through all sources once, however many events there are: there may be tens of thousands.
 */
function changeDoor(door: LiveDoor, events: readonly DoorEvent[]): LiveDoor {
  const heard = new Set(events.map((event) => holderOf(event)))
  const known = new Map<string, Known>()
  const knownOf = (source: string) => known.get(source) ?? { grants: [], progress: [] }
  for (const grant of door.grants) {
    const { source } = grant
    if (!heard.has(source)) continue
    const { grants, progress } = knownOf(source)
    known.set(source, { grants: [...grants, grant], progress })
  }
  for (const attempt of door.progress) {
    const { source } = attempt
    if (!heard.has(source)) continue
    const { grants, progress } = knownOf(source)
    known.set(source, { grants, progress: [...progress, attempt] })
  }
  for (const event of events) {
    const source = holderOf(event)
    known.set(source, changeKnown(knownOf(source), event))
  }
  const isOther = ({ source }: { readonly source: string }) => !heard.has(source)
  const now = [...known.values()]
  return {
    ...door,
    grants: [...door.grants.filter(isOther), ...now.flatMap(({ grants }) => grants)],
    progress: [...door.progress.filter(isOther), ...now.flatMap(({ progress }) => progress)],
  }
}

function changeKnown(known: Known, event: DoorEvent): Known {
  const { grants, progress } = known
  const source = holderOf(event)
  const at = Date.parse(event.time)
  switch (event.event) {
    case 'knock': {
      // If the source has a grant, this is probably the closing knock; the next status shows it.
      if (grants.some(({ until }) => until > at)) return known
      const { stage, of } = event
      const others = progress.filter((attempt) => attempt.of !== of)
      return { grants, progress: [...others, { source, stage, of, since: at }] }
    }
    case 'granted': {
      const token = event.by === 'knock' && event.user !== undefined && { user: event.user, at }
      const grant = { source, until: at + 1000 * event.expiresIn, ...(token && { token }) }
      // A grant ends all other attempts of the source at this door.
      return { grants: [grant], progress: [] }
    }
    case 'reset':
      return { grants, progress: progress.filter(({ of }) => of !== event.of) }
    case 'closed':
    case 'expired':
      return { grants: [], progress }
    default:
      return known
  }
}

/** Adds the times from a status to attempts that are known only from events. */
export const withTimes = (
  doors: readonly LiveDoor[],
  read: readonly LiveDoor[],
): readonly LiveDoor[] =>
  doors.map((door, index) => {
    const timed = new Map(read[index]?.progress.map((attempt) => [keyOf(attempt), attempt]))
    return {
      ...door,
      progress: door.progress.map((attempt) =>
        attempt.until === undefined ? (timed.get(keyOf(attempt)) ?? attempt) : attempt,
      ),
    }
  })

const keyOf = ({ source, stage, of }: LiveDoor['progress'][number]): string =>
  `${source} ${stage} ${of}`
