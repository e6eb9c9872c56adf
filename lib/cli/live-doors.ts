// An event at a door → who is let in and who is on the way there. Pure.
import type { KnockEvent } from '../index.js'
import type { LiveDoor } from './live-model.js'

type DoorEvent = Extract<KnockEvent, { door: string }>

/** Doors that are not known yet are left to the next status. */
export const changeDoors = (
  doors: readonly LiveDoor[],
  event: DoorEvent,
  at: number,
): readonly LiveDoor[] =>
  doors.map((door) => (door.name === event.door ? changeDoor(door, event, at) : door))

function changeDoor(door: LiveDoor, event: DoorEvent, at: number): LiveDoor {
  const { source } = event
  const otherGrants = door.grants.filter((grant) => grant.source !== source)
  switch (event.event) {
    case 'knock':
      // Of who is let in it is most often the knock that closes; the next status knows.
      if (door.grants.some((grant) => grant.source === source && grant.until > at)) return door
      return { ...door, progress: withStage(door.progress, event, at) }
    case 'granted': {
      const until = at + 1000 * event.expiresIn
      // Whichever of its knocks it was: the others are of no more use.
      const progress = door.progress.filter((attempt) => attempt.source !== source)
      return { ...door, grants: [...otherGrants, { source, until }], progress }
    }
    case 'reset': {
      const { of } = event
      const progress = door.progress.filter((one) => one.source !== source || one.of !== of)
      return { ...door, progress }
    }
    case 'closed':
    case 'expired':
      return { ...door, grants: otherGrants }
    default:
      return door
  }
}

function withStage(
  progress: LiveDoor['progress'],
  { source, stage, of }: Extract<KnockEvent, { event: 'knock' }>,
  at: number,
): LiveDoor['progress'] {
  const others = progress.filter((one) => one.source !== source || one.of !== of)
  return [...others, { source, stage, of, since: at }]
}

/** Attempts of which events told alone, with the times that a status knows of them. */
export const withTimes = (
  doors: readonly LiveDoor[],
  read: readonly LiveDoor[],
): readonly LiveDoor[] =>
  doors.map((door, index) => ({
    ...door,
    progress: door.progress.map((attempt) => {
      const { source, stage, of } = attempt
      const same = read[index]?.progress.find(
        (one) => one.source === source && one.stage === stage && one.of === of,
      )
      return attempt.until === undefined && same ? same : attempt
    }),
  }))
