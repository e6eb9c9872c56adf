// Knocks of all kinds, as the user wrote them → valid knocks, defaults filled in. Pure.
import { KINDS } from '../../automaton/kinds/kinds.js'
import { readSequence } from '../../automaton/kinds/sequence/read-sequence.js'
import type { Kind } from '../../automaton/language/kind.js'
import type { ClosingSequence, DoorKnock } from '../generated/knock-types.js'
import { at, type Findings } from '../model/findings.js'
import type { ValidKnock, ValidSequence } from '../model/model.js'

/** Reads one knock or a list of knocks. A knock of an unknown type is left out. */
export function readKnocks(
  knock: DoorKnock | readonly DoorKnock[],
  origin: string,
  findings: Findings,
): ValidKnock[] {
  if (!findings.isClean(origin)) return []
  if (!Array.isArray(knock)) return readKnock(knock as DoorKnock, origin, findings)
  return knock.flatMap((one: DoorKnock, index) => readKnock(one, origin + at(index), findings))
}

/** Reads the sequence that closes a door, or a list of them. */
export function readCloses(
  close: ClosingSequence | readonly ClosingSequence[] | undefined,
  origin: string,
  findings: Findings,
): ValidSequence[] {
  if (close === undefined || !findings.isClean(origin)) return []
  const read = (one: ClosingSequence, place: string) =>
    isKnown(place, findings) ? [readSequence(one, place, one.steps, '/steps', findings)] : []
  if (!Array.isArray(close)) return read(close as ClosingSequence, origin)
  return close.flatMap((one: ClosingSequence, index) => read(one, origin + at(index)))
}

const isKnown = (origin: string, findings: Findings): boolean =>
  findings.isClean(origin) && findings.isClean(`${origin}/type`)

function readKnock(knock: DoorKnock, origin: string, findings: Findings): ValidKnock[] {
  if (!isKnown(origin, findings)) return []
  const kind = KINDS[knock.type] as Kind
  return kind.read?.(knock, origin, findings) ?? []
}
