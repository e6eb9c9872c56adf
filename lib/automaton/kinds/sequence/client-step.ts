// The steps that a client sends, as the user wrote them → objects. Pure.

import type { ProfileStep } from '../../../spec/generated/client-types.js'
import { expected } from '../../../spec/generated/expected-client.js'
import type { Findings } from '../../../spec/model/findings.js'
import type { Step } from '../../../spec/model/packet-model.js'
import { readStep } from '../../../spec/model/read-values.js'
import { parseKnockStep } from '../../../spec/model/step.js'

/** The placeholder for a step that cannot be read, so that the others keep their indices. */
const UNREADABLE: Step = { protocol: 'icmp' }

/**
 * Reads a step that the schema accepts: as in a spec (`tcp/7000`, `udp/8000`, `icmp`, an object),
 * or as Debian's knock writes it (`7000`, `7000:udp`, also the number 7000).
 */
export function readClientStep(step: ProfileStep, path: string, findings: Findings): Step {
  if (!findings.isCleanBelow(path)) return UNREADABLE
  if (typeof step === 'object') return readStep(step, path, findings)
  const parsed = parseKnockStep(String(step))
  if (!parsed) findings.add(path, expected['#/definitions/step'] as string)
  return parsed ?? UNREADABLE
}
