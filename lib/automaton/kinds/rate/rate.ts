// A number of hits on a port, then one packet to the service at the right time: reading, checks and
// rules. Pure.
import type { RateKnock } from '../../../spec/generated/knock-types.js'
import { formatDuration } from '../../../spec/model/duration.js'
import type { ValidRate } from '../../../spec/model/model.js'
import {
  areRead,
  readDuration,
  readKnockPort,
  readPause,
  readValue,
} from '../../../spec/model/read-values.js'
import { formatStep } from '../../../spec/model/step.js'
import {
  inSet,
  type Match,
  notInSet,
  RETURN,
  type Rule,
  remove,
  update,
} from '../../language/automaton.js'
import type { Kind } from '../../language/kind.js'
import { attemptSet, earlySet, stageSet } from '../../language/names.js'
import type { KnockContext, KnockProgram } from '../../language/program.js'
import { readPenalty } from '../timed/read-penalty.js'
import { TimedKnock, type TimedRules } from '../timed/timed-knock.js'

export const rate: Kind<ValidRate, RateKnock> = {
  read(written, origin, findings) {
    const max = readDuration(written.max, `${origin}/max`, findings)
    return [
      {
        type: 'rate',
        origin,
        port: readKnockPort(written.port, `${origin}/port`, findings),
        hits: readValue(written.hits, `${origin}/hits`, 1, findings),
        min: readPause(written.min, `${origin}/min`, 0, findings),
        max,
        penalty: readPenalty(written, origin, max, findings),
      },
    ]
  },
  check(rates, _door, findings) {
    for (const { origin, min, max } of rates) {
      if (areRead(origin, ['min', 'max'], findings) && min >= max) {
        findings.add(`${origin}/min`, `less than max, ${max} s`)
      }
    }
  },
  stepsOf: ({ port, origin }) => [[port, `${origin}/port`]],
  lengthOf: ({ hits }) => hits,
  endsInService: true,
  profileOf: ([{ port, hits, min, max }]) => ({
    rate: {
      port: formatStep(port),
      hits,
      ...(min > 0 && { min: formatDuration(min) }),
      max: formatDuration(max),
    },
  }),
  build,
}

function build(rate: ValidRate, context: KnockContext): KnockProgram {
  const { door, attempt } = context
  const { hits, min, max, port } = rate
  const live = attemptSet(door.name, attempt)
  const early = min > 0 ? [earlySet(door.name, attempt)] : []
  const stages = Array.from({ length: hits }, (_, i) => stageSet(door.name, attempt, i + 1))
  // The next first hit deletes the source from the other sets.
  const wipe = [remove(stages.at(-1) as string), remove(live)]
  const timed = new TimedKnock(context, { knock: rate, of: hits, wipe })
  const rules = rateRules(timed, { stages, live, early })
  return {
    door,
    attempt,
    origin: rate.origin,
    sets: [
      ...stages.map((name) => timed.timedSet(name, max)),
      timed.timedSet(live, max),
      ...early.map((name) => timed.timedSet(name, min)),
      ...timed.sharedSets(max),
    ],
    endpoints: timed.endpoints([port], rules),
    ...timed.service([port], rules.service),
    wipe: [],
    reset: 'never',
    gap: max,
    lasts: max,
  }
}

interface RateSets {
  /** By number of hits, the sources that have made them. */
  readonly stages: readonly string[]
  /** The sources whose first hit was less than `max` seconds ago; `early`: less than `min`. */
  readonly live: string
  readonly early: readonly string[]
}

function rateRules(timed: TimedKnock, { stages, live, early }: RateSets): TimedRules {
  const of = stages.length
  const last = stages.at(-1) as string
  const done: Match[] = [inSet(last), inSet(live)]
  const tooFast = early.map((set) => timed.punish('too fast', [...done, inSet(set)], of))
  const tooSoon = early.map((set) => timed.hold('too fast', [...done, inSet(set)], of))
  const inTime = timed.letThrough([...done, ...early.map(notInSet)])
  const hits: Rule[] = stages.slice(0, -1).map((from, index) => {
    const then = [update(stages[index + 1] as string), remove(from)]
    return timed.rule(`hit ${index + 2}`, {
      when: [inSet(from), inSet(live)],
      then,
      verdict: RETURN,
      logs: timed.logged('knock', index + 2),
    })
  })
  const [start, ...later] = stages as [string, ...string[]]
  const begin = [live, ...early, start].map(update)
  const first = timed.begin('first hit', [], [...later, timed.lock], begin)
  return {
    knock: [timed.penalised(), timed.punish('one too many', done, of), ...hits, ...first],
    ownService: [timed.penalised(), ...tooFast, inTime, ...hits, ...first],
    service: { of: [last, timed.penalty], rules: [timed.penalised(), ...tooSoon, inTime] },
  }
}
