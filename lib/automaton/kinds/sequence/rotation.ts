// Knocks in an order whose ports are derived from a secret and the time: checks, rules and loads.
// Pure.
import { periodAt } from '../../../spec/derive/derivation.js'
import { derivePorts } from '../../../spec/derive/derive.js'
import { formatDuration } from '../../../spec/model/duration.js'
import type { ValidRotation } from '../../../spec/model/model.js'
import type { KnockPort } from '../../../spec/model/packet-model.js'
import { areRead } from '../../../spec/model/read-values.js'
import { SYN } from '../../../spec/model/step.js'
import { inSet, type Match } from '../../language/automaton.js'
import type { Kind, PlacedKnock } from '../../language/kind.js'
import { type Loads, range, type Secrets, secretOf } from '../../language/loads.js'
import { portsSet } from '../../language/names.js'
import type { KnockContext, KnockProgram } from '../../language/program.js'
import { checkTimes } from './check-sequence.js'
import { MOST_SEQUENCES } from './read-sequence.js'
import { SequenceBuilder } from './sequence-program.js'

/** The kind of a sequence with `rotate`. Reading it belongs to `sequence`. */
export const rotation: Kind<ValidRotation> = {
  check(rotations, _door, findings) {
    for (const knock of rotations) {
      checkTimes(knock, findings)
      const path = `${knock.origin}/rotate`
      // Two are added: the periods at the start and at the end of the horizon are loaded even if
      // only part of them is within it.
      const most = MOST_SEQUENCES - 2
      if (!areRead(path, ['every', 'horizon'], findings)) continue
      if (knock.horizon > most * knock.every) {
        findings.add(`${path}/horizon`, `at most ${most} times every`)
      }
    }
  },
  // A range is not a step. Its conflicts are checked for the whole table.
  stepsOf: () => [],
  lengthOf: ({ length }) => length,
  secretFilesOf: ({ secretFile }) => [secretFile],
  profileOf: ([{ every, length: steps, protocol, ports }], secretFile) => ({
    rotate: {
      secretFile,
      every: formatDuration(every),
      steps,
      protocol,
      ports: `${ports.from}-${ports.to}`,
    },
  }),
  load: (placed, secrets, now) => ({ ports: portsOf(placed, secrets, now) }),
  build,
}

/** Compiles the steps as look-ups in sets, where each port has its period. */
function build(rotation: ValidRotation, context: KnockContext): KnockProgram {
  const { length, protocol, ports } = rotation
  const { door, attempt } = context
  const set = (step: number) => portsSet(door.name, attempt, step)
  const steps = Array.from({ length }, (_, index) => index + 1)
  const syn: Match[] = protocol === 'tcp' ? [{ kind: 'flags', flags: SYN }] : []
  return new SequenceBuilder(rotation, context, {
    length,
    places: [{ at: { range: { protocol, ports } }, steps }],
    match: (step) => ({ when: [...syn, inSet(set(step))] }),
    isOdd: () => false,
    // Part of the rule's comment, so that with another period the table has another digest and its
    // ports are loaded anew.
    origin: (step) => `${rotation.origin}/rotate ${step} each ${rotation.every} s`,
    periodSets: steps.map((step) => ({ name: set(step) })),
  }).build()
}

function portsOf(
  { door: { name }, attempt, knock }: PlacedKnock<ValidRotation>,
  secrets: Secrets,
  now: number,
): Loads['ports'] {
  const { every, horizon, length } = knock
  const secret = secretOf(secrets, knock.secretFile)
  const indices = range(periodAt(now, every), periodAt(now + horizon, every))
  const sequences = indices.map((index) => derivePorts(secret, name, index, knock))
  return range(1, length).map((step) => ({
    set: portsSet(name, attempt, step),
    periods: indices.map((index, place) => ({
      ...(sequences[place]?.[step - 1] as KnockPort),
      from: index * every,
      // Whole seconds, both ends included: two periods with the same port must not overlap.
      to: (index + 1) * every - 1,
    })),
  }))
}
