// A door → its knocks, each with the name of its attempt. Pure.
import type { ValidDoor, ValidKnock, ValidSpec } from '../spec/model/model.js'
import { endsInService } from './kinds/kinds.js'
import type { PlacedKnock } from './language/kind.js'
import type { Attempt } from './language/names.js'
import type { AttemptSummary } from './language/summary.js'

/**
 * Lists the knocks of a door, each with the name of its attempt: those that open it in order, then
 * those that close it.
 */
export function knocksOf(door: ValidDoor): PlacedKnock[] {
  const placed = (attempt: 'open' | 'close', knocks: readonly ValidKnock[]) =>
    knocks.map((knock, index): PlacedKnock => {
      const numbered: Attempt = index === 0 ? attempt : `${attempt}${index + 1}`
      return { door, knock, attempt: numbered }
    })
  return [...placed('open', door.knocks), ...placed('close', door.closes)]
}

/**
 * Summarises what an attempt depends on. It leaves out the knock's place in the spec, so that
 * attempts under way go on if the knock has only moved.
 */
export function summariseAttempt({ door, knock, attempt }: PlacedKnock): AttemptSummary {
  const { origin: _, stepsOrigin: _steps, ...meaning }: Partial<Origins> & ValidKnock = knock
  const services = endsInService(knock) ? [door.services] : []
  return { door: door.name, attempt, meaning: [meaning, ...services] }
}

interface Origins {
  readonly stepsOrigin: string
}

/** Finds the digest of the one-time sequence that an attempt of a door is, by their names. */
export function oneTimeDigests({
  doors,
}: ValidSpec): (door: string, attempt: Attempt) => string | undefined {
  const digests = new Map(
    doors.flatMap((door) =>
      knocksOf(door).flatMap(({ knock, attempt }) =>
        'once' in knock && knock.once !== undefined
          ? [[`${door.name} ${attempt}`, knock.once] as const]
          : [],
      ),
    ),
  )
  return (door, attempt) => digests.get(`${door} ${attempt}`)
}
