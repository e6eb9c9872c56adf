// A door → its knocks, each with the name of its attempt. Pure.
import type { ValidDoor, ValidKnock } from '../spec/model/model.js'
import { endsInService } from './kinds/kinds.js'
import type { PlacedKnock } from './language/kind.js'
import type { AttemptSummary } from './language/summary.js'

/**
 * The knocks of a door, each an attempt of its own: those that open it in their order, then the one
 * that closes it.
 */
export function knocksOf(door: ValidDoor): PlacedKnock[] {
  const open = door.knocks.map((knock, index): PlacedKnock => {
    return { door, knock, attempt: index === 0 ? 'open' : `open${index + 1}` }
  })
  return door.close ? [...open, { door, knock: door.close, attempt: 'close' }] : open
}

/** An attempt under way goes on if the knock is the same, wherever in the spec it stands. */
export function summariseAttempt({ door, knock, attempt }: PlacedKnock): AttemptSummary {
  const { origin: _, stepsOrigin: _steps, ...meaning }: Partial<Origins> & ValidKnock = knock
  const services = endsInService(knock) ? [door.services] : []
  return { door: door.name, attempt, meaning: [meaning, ...services] }
}

interface Origins {
  readonly stepsOrigin: string
}
