// A door → its knocks, each with the name of its attempt. Pure.
import type { ValidDoor, ValidKnock } from '../spec/model/model.js'
import type { Attempt } from './language/names.js'

export interface PlacedKnock {
  readonly door: ValidDoor
  readonly knock: ValidKnock
  readonly attempt: Attempt
}

/** The knocks of a door, each an attempt of its own: those that open it in their order, then the one that closes it. */
export function knocksOf(door: ValidDoor): PlacedKnock[] {
  const open = door.knocks.map((knock, index): PlacedKnock => {
    return { door, knock, attempt: index === 0 ? 'open' : `open${index + 1}` }
  })
  return door.close ? [...open, { door, knock: door.close, attempt: 'close' }] : open
}
