// All kinds of knock, by the type of their valid form. Pure.
import type { ValidKnock } from '../../spec/model/model.js'
import type { Kind } from '../language/kind.js'
import { rate } from './rate/rate.js'
import { rhythm } from './rhythm/rhythm.js'
import { rotation } from './sequence/rotation.js'
import { sequence } from './sequence/sequence.js'
import { token } from './token/token.js'

export const KINDS: {
  readonly [Type in ValidKnock['type']]: Kind<Extract<ValidKnock, { type: Type }>, never>
} = { sequence, rotation, rate, rhythm, token }

export const kindOf = (knock: ValidKnock): Kind => KINDS[knock.type] as Kind

/** Whether the packet that ends a knock is the connection to the service itself. */
export const endsInService = (knock: ValidKnock): boolean => kindOf(knock).endsInService === true

/** The files of a knock's secrets. If there are none, anybody who can read the spec can knock. */
export const secretFilesOf = (knock: ValidKnock): readonly string[] =>
  kindOf(knock).secretFilesOf?.(knock) ?? []
