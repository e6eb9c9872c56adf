// A door → its knocks, each with the name of its attempt. Pure.
import type { ValidDoor, ValidKnock } from '../spec/model/model.js'
import { endsInService } from './kinds/kinds.js'
import type { PlacedKnock } from './language/kind.js'
import type { AttemptSummary } from './language/summary.js'

/**
 * Lists the knocks of a door, each with the name of its attempt: those that open it in order, then
 * the one that closes it.
 */
export function knocksOf(door: ValidDoor): PlacedKnock[] {
  const open = door.knocks.map((knock, index): PlacedKnock => {
    return { door, knock, attempt: index === 0 ? 'open' : `open${index + 1}` }
  })
  return door.close ? [...open, { door, knock: door.close, attempt: 'close' }] : open
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
