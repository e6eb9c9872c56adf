// Rejects traps that conflict with other parts of a spec. Pure.
import type { Findings } from '../model/findings.js'
import type { ReadSpec } from '../model/model.js'
import type { Service } from '../model/packet-model.js'
import { formatStep, servicesOverlap, stepMeetsService } from '../model/step.js'
import type { PlacedStep } from './knock-ports.js'
import type { PlacedRange } from './rules-port.js'

/** The parts of a spec that a trap could conflict with. */
interface Surroundings {
  readonly placed: readonly PlacedStep[]
  readonly ranges: readonly PlacedRange[]
}

/** Reports trap ports that mean something else already, and hooks that see packets of others. */
export function checkTraps(spec: ReadSpec, around: Surroundings, findings: Findings): void {
  const { guard, hook, interfaces } = spec
  const { traps } = guard
  if (!traps) return
  const isPassing = hook === 'forward' || hook === 'prerouting'
  if (isPassing && interfaces.length === 0 && findings.isClean('/interfaces')) {
    const reason = `"${hook}" sees packets of all hosts in both directions; name interfaces`
    findings.conflict('/guard/traps', '/hook', reason)
  }
  if (!findings.isCleanBelow('/guard/traps/ports')) return
  for (const [index, trap] of traps.ports.entries()) {
    const path = `/guard/traps/ports/${index}`
    const twin = traps.ports.findIndex((other) => servicesOverlap(other, trap))
    if (twin < index) findings.conflict(path, `/guard/traps/ports/${twin}`, 'the ports overlap')
    for (const [other, reason] of meaningsOf(trap, spec, around, findings)) {
      findings.conflict(path, other, reason)
    }
  }
}

/** What a trap's ports mean elsewhere in the spec: where, and why that cannot be. */
function* meaningsOf(
  trap: Service,
  { doors, guard }: ReadSpec,
  { placed, ranges }: Surroundings,
  findings: Findings,
): Generator<readonly [path: string, reason: string]> {
  const isIn = (service: Service) => service.ports !== undefined && servicesOverlap(service, trap)
  const owner = doors.find(({ services }) => services.some(isIn))
  if (owner)
    yield [`${owner.origin}/service`, `a trap is no service, and this is one of ${owner.name}`]
  const target = doors.find(({ services, open: { redirectTo } }) =>
    services.some(
      ({ protocol }) =>
        redirectTo !== undefined &&
        redirectTo.address === undefined &&
        isIn({ protocol, ports: { from: redirectTo.port, to: redirectTo.port } }),
    ),
  )
  if (target) yield [`${target.origin}/open/redirectTo`, 'a trap is no target of a redirect']
  const knocked = placed.find(({ step }) => stepMeetsService(step, trap))
  if (knocked)
    yield [knocked.path, `a trap is no knock port, and ${formatStep(knocked.step)} is one`]
  const range = ranges.find(({ service }) => isIn(service))
  if (range) yield [range.path, 'a trap is no knock port, and this range contains it']
  if (!findings.isCleanBelow('/guard/ignore')) return
  const ignored = guard.ignore.findIndex(isIn)
  if (ignored !== -1) yield [`/guard/ignore/${ignored}`, 'an ignored port cannot be a trap']
}
