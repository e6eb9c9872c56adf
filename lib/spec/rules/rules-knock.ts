// Rejects knocks of one table or one door that contradict each other, and too many of them. Pure.
import { endsInService, KINDS, kindOf } from '../../automaton/kinds/kinds.js'
import type { Kind } from '../../automaton/language/kind.js'
import type { Findings } from '../model/findings.js'
import type { ValidDoor, ValidKnock } from '../model/model.js'
import { stepMeetsService } from '../model/step.js'
import { attemptsOf } from './knock-ports.js'

/** The most knocks of a table, counting each one-time sequence. More take nft minutes. */
const MOST_KNOCKS = 32_768
/**
 * The most knocks on the service itself. For each of them the kernel walks the chains of all the
 * others again.
 */
const MOST_OWN = 256

/** Reports too many knocks; false if there are too many. */
export function checkNumber(doors: readonly ValidDoor[], findings: Findings): boolean {
  let [all, own] = [0, 0]
  for (const door of doors) {
    const knocks = attemptsOf(door)
    all += knocks.length
    if (all <= MOST_KNOCKS) own += knocks.filter((knock) => isOwn(knock, door, findings)).length
    const wrong =
      all > MOST_KNOCKS
        ? `${MOST_KNOCKS} knocks`
        : own > MOST_OWN && `${MOST_OWN} knocks on the service itself`
    if (!wrong) continue
    findings.add(`${door.origin}/name`, `a table with at most ${wrong}, these are more`)
    return false
  }
  return true
}

/** Whether the knock port belongs to the service that the knock opens. */
const isOwn = (knock: ValidKnock, { services }: ValidDoor, findings: Findings): boolean =>
  endsInService(knock) &&
  kindOf(knock)
    .stepsOf(knock, findings)
    .some(([port]) => services.some((service) => stepMeetsService(port, service)))

/** Reports problems of a door's knocks: those of each kind, and between kinds. */
export function checkKnocks(door: ValidDoor, findings: Findings): void {
  const byType = new Map<ValidKnock['type'], ValidKnock[]>()
  for (const knock of attemptsOf(door)) {
    const alike = byType.get(knock.type)
    if (alike) alike.push(knock)
    else byType.set(knock.type, [knock])
  }
  for (const [type, knocks] of byType) (KINDS[type] as Kind).check(knocks, door, findings)
  checkAlone(door, findings)
}

/** Reports a rate or rhythm beside one that is knocked on the service itself. */
function checkAlone(door: ValidDoor, findings: Findings): void {
  const timed = door.knocks.filter(endsInService)
  const own = timed.find((knock) => isOwn(knock, door, findings))
  const other = timed.find((knock) => knock !== own)
  if (own && other && findings.isCleanBelow(own.origin)) {
    const reason = 'that knock is on the service itself and takes all its packets'
    findings.conflict(`${other.origin}/type`, own.origin, reason)
  }
}
