// A number of knocks in each of several windows of time, then a packet to the service: reading,
// checks and rules. Pure.
import type { RhythmKnock } from '../../../spec/generated/knock-types.js'
import { formatDuration, LEAST_WINDOW, MAX_DURATION } from '../../../spec/model/duration.js'
import type { Findings } from '../../../spec/model/findings.js'
import type { ValidRhythm } from '../../../spec/model/model.js'
import type { KnockPort } from '../../../spec/model/packet-model.js'
import { areRead, readDuration, readKnockPort, readValue } from '../../../spec/model/read-values.js'
import { formatStep } from '../../../spec/model/step.js'
import { inSet, type Match, notInSet, RETURN, remove, update } from '../../language/automaton.js'
import type { Kind } from '../../language/kind.js'
import { armedSet, attemptSet, stageSet, windowSet } from '../../language/names.js'
import type { KnockContext, KnockProgram } from '../../language/program.js'
import { readPenalty } from '../timed/read-penalty.js'
import { TimedKnock, type TimedRules } from '../timed/timed-knock.js'

export const rhythm: Kind<ValidRhythm, RhythmKnock> = {
  read(written, origin, findings) {
    const window = readDuration(written.window, `${origin}/window`, findings, LEAST_WINDOW)
    return [
      {
        type: 'rhythm',
        origin,
        ports: readPorts(written, origin, findings),
        counts: readValue(written.counts, `${origin}/counts`, [], findings),
        window,
        penalty: readPenalty(written, origin, window, findings),
      },
    ]
  },
  check(rhythms, _door, findings) {
    for (const { origin, window, counts } of rhythms) {
      const most = Math.floor(MAX_DURATION / (counts.length + 1))
      if (!areRead(origin, ['window', 'counts'], findings) || window <= most) continue
      const why = 'so that all windows last at most 365 d'
      findings.add(`${origin}/window`, `at most ${most} s, ${why}`)
    }
  },
  stepsOf({ ports, origin }, findings) {
    const isList = findings.isGiven(`${origin}/ports`)
    return ports.map((port, index) => [port, `${origin}${isList ? `/ports/${index}` : '/port'}`])
  },
  lengthOf: ({ counts }) => total(counts),
  endsInService: true,
  // The grant is for the one connection that the rhythm announced.
  connections: 1,
  profileOf: ([{ ports, counts, window }]) => ({
    rhythm: { port: formatStep(ports[0] as KnockPort), counts, window: formatDuration(window) },
  }),
  build,
}

/** Reads the port or the list of ports of a rhythm. */
function readPorts({ port, ports }: RhythmKnock, origin: string, findings: Findings): KnockPort[] {
  if (ports === undefined) {
    if (port === undefined) findings.add(`${origin}/port`, 'tcp/1..65535 or udp/1..65535')
    return [readKnockPort(port, `${origin}/port`, findings)]
  }
  if (port !== undefined) {
    findings.conflict(`${origin}/ports`, `${origin}/port`, 'a rhythm has only one of the two')
  }
  return readValue(ports, `${origin}/ports`, [], findings).map((text, index) =>
    readKnockPort(text, `${origin}/ports/${index}`, findings),
  )
}

const total = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0)

/**
 * Seconds from an attempt's first knock to the end of a window, numbered from 1. A knock that is
 * half a window late is still in time.
 */
const windowEnd = (window: number, seconds: number): number => Math.ceil((window - 0.5) * seconds)

function build(rhythm: ValidRhythm, context: KnockContext): KnockProgram {
  const { door, attempt } = context
  const { counts, window, ports } = rhythm
  const knocks = total(counts)
  // A source is in the sets of all windows that have not ended. It is in the last one for as long
  // as its attempt lasts.
  const live = attemptSet(door.name, attempt)
  const windows = [
    ...counts.slice(1).map((_, index) => windowSet(door.name, attempt, index + 1)),
    live,
  ]
  const stages = Array.from({ length: knocks - 1 }, (_, i) => stageSet(door.name, attempt, i + 1))
  const armed = armedSet(door.name, attempt)
  // The next first knock deletes the source from the other sets.
  const wipe = [remove(live), remove(armed)]
  const timed = new TimedKnock(context, { knock: rhythm, of: knocks, wipe })
  const rules = rhythmRules(timed, { counts, windows, stages, armed })
  const lasts = windowEnd(counts.length, window)
  return {
    door,
    attempt,
    origin: rhythm.origin,
    sets: [
      ...windows.map((name, index) => timed.timedSet(name, windowEnd(index + 1, window))),
      ...stages.map((name) => timed.timedSet(name, lasts)),
      timed.timedSet(armed, window),
      ...timed.sharedSets(lasts + window),
    ],
    endpoints: timed.endpoints(ports, rules),
    ...timed.service(ports, rules.service),
    wipe: [],
    reset: 'never',
    gap: lasts,
    lasts: lasts + window,
  }
}

interface RhythmSets {
  readonly counts: readonly number[]
  readonly windows: readonly string[]
  /** By number of knocks, the sources that have made them. */
  readonly stages: readonly string[]
  readonly armed: string
}

function rhythmRules(timed: TimedKnock, sets: RhythmSets): TimedRules {
  const { windows, stages, armed } = sets
  const live = windows.at(-1) as string
  const inTime = timed.letThrough([inSet(armed)])
  const begin = [...windows.map(update), update(stages[0] as string)]
  const first = timed.begin(
    'first knock',
    [notInSet(live)],
    [...stages.slice(1), timed.lock],
    begin,
  )
  const knocks = [
    ...first,
    ...stages.map((_, index) => advance(timed, sets, index + 2)),
    timed.punish('out of rhythm', [inSet(live)]),
  ]
  return {
    knock: [
      timed.penalised(),
      timed.punish('one too many', [inSet(armed)], stages.length + 1),
      ...knocks,
    ],
    ownService: [timed.penalised(), inTime, ...knocks],
    service: { of: [armed, timed.penalty], rules: [timed.penalised(), inTime] },
  }
}

/** The rule for the knock of a number from 2 on, in its own window. */
function advance(timed: TimedKnock, { counts, windows, stages, armed }: RhythmSets, knock: number) {
  let burst = 0
  for (let before = 0; before + (counts[burst] as number) < knock; burst += 1) {
    before += counts[burst] as number
  }
  const from = stages[knock - 2] as string
  const earlier = burst > 0 ? [notInSet(windows[burst - 1] as string)] : []
  const when: Match[] = [inSet(from), inSet(windows[burst] as string), ...earlier]
  const to = stages[knock - 1]
  // The windows expire by themselves. An armed source is deleted from them, so that no other rule
  // matches it.
  const then =
    to === undefined
      ? [update(armed), remove(from), ...windows.map(remove)]
      : [update(to), remove(from)]
  return timed.rule(to === undefined ? 'last knock' : `knock ${knock}`, {
    when,
    then,
    verdict: RETURN,
    logs: timed.logged('knock', knock),
  })
}
