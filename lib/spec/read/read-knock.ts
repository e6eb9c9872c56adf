// Knocks of every kind in the user's words → what they mean, defaults filled in. Pure.

import type {
  ClosingSequence,
  DoorKnock,
  RateKnock,
  RhythmKnock,
  TokenKnock,
} from '../generated/knock-types.js'
import { at, type Findings } from '../model/findings.js'
import type {
  KnockPort,
  ValidKnock,
  ValidRate,
  ValidRhythm,
  ValidSequence,
  ValidToken,
  ValidUser,
} from '../model/model.js'
import { readSequence, readSequences } from './read-sequence.js'
import { readDuration, readKnockPort, readPause, readValue } from './read-values.js'

/** A week: tokens are loaded for it unless the spec says otherwise. */
const DEFAULT_HORIZON = 7 * 86400

export const LEAST_WINDOW = 2
export const LEAST_PERIOD = 10

/** Reads one knock or a list of them. One that has no type that is known is left out, with all others read. */
export function readKnocks(
  knock: DoorKnock | readonly DoorKnock[],
  origin: string,
  findings: Findings,
): ValidKnock[] {
  if (!findings.isClean(origin)) return []
  if (!Array.isArray(knock)) return readKnock(knock as DoorKnock, origin, findings)
  return knock.flatMap((one: DoorKnock, index) => readKnock(one, origin + at(index), findings))
}

/** Reads the sequence that closes a door, where there is one. */
export function readClose(
  close: ClosingSequence | undefined,
  origin: string,
  findings: Findings,
): ValidSequence | undefined {
  if (close === undefined || !isKnown(origin, findings)) return undefined
  return readSequence(close, origin, close.steps, '/steps', findings)
}

const isKnown = (origin: string, findings: Findings): boolean =>
  findings.isClean(origin) && findings.isClean(`${origin}/type`)

function readKnock(knock: DoorKnock, origin: string, findings: Findings): ValidKnock[] {
  if (!isKnown(origin, findings)) return []
  switch (knock.type) {
    case 'sequence':
      return readSequences(knock, origin, findings)
    case 'rate':
      return [readRate(knock, origin, findings)]
    case 'rhythm':
      return [readRhythm(knock, origin, findings)]
    case 'token':
      return [readToken(knock, origin, findings)]
  }
}

function readRate(knock: RateKnock, origin: string, findings: Findings): ValidRate {
  const max = readDuration(knock.max, `${origin}/max`, findings)
  return {
    type: 'rate',
    origin,
    port: readKnockPort(knock.port, `${origin}/port`, findings),
    hits: readValue(knock.hits, `${origin}/hits`, 1, findings),
    min: readPause(knock.min, `${origin}/min`, 0, findings),
    max,
    penalty: readPenalty(knock, origin, max, findings),
  }
}

function readRhythm(knock: RhythmKnock, origin: string, findings: Findings): ValidRhythm {
  const window = readDuration(knock.window, `${origin}/window`, findings, LEAST_WINDOW)
  return {
    type: 'rhythm',
    origin,
    ports: readPorts(knock, origin, findings),
    counts: readValue(knock.counts, `${origin}/counts`, [], findings),
    window,
    penalty: readPenalty(knock, origin, window, findings),
  }
}

/** Reads the ports of a rhythm, of which there is one or a list. */
function readPorts({ port, ports }: RhythmKnock, origin: string, findings: Findings): KnockPort[] {
  if (ports === undefined) {
    if (port === undefined) findings.add(`${origin}/port`, 'tcp/1..65535 or udp/1..65535')
    return [readKnockPort(port, `${origin}/port`, findings)]
  }
  if (port !== undefined) findings.add(`${origin}/ports`, 'no ports beside port')
  return readValue(ports, `${origin}/ports`, [], findings).map((text, index) =>
    readKnockPort(text, `${origin}/ports/${index}`, findings),
  )
}

function readPenalty(
  { penalty }: RateKnock | RhythmKnock,
  origin: string,
  fallback: number,
  findings: Findings,
): number {
  return penalty === undefined ? fallback : readDuration(penalty, `${origin}/penalty`, findings)
}

function readToken(knock: TokenKnock, origin: string, findings: Findings): ValidToken {
  const { drift, horizon } = knock
  const period = readDuration(knock.period, `${origin}/period`, findings, LEAST_PERIOD)
  return {
    type: 'token',
    origin,
    port: readKnockPort(knock.port, `${origin}/port`, findings).port,
    period,
    drift: readPause(drift, `${origin}/drift`, period, findings),
    horizon:
      horizon === undefined
        ? DEFAULT_HORIZON
        : readDuration(horizon, `${origin}/horizon`, findings),
    users: readUsers(knock, `${origin}/users`, findings),
  }
}

/** Reads the users; a part that the schema refuses is left empty, so that they keep their places. */
function readUsers({ users }: TokenKnock, path: string, findings: Findings): ValidUser[] {
  return readValue(users, path, [], findings).map((user, index) => {
    const where = `${path}/${index}`
    const known = readValue<Partial<ValidUser>>(user, where, {}, findings)
    return {
      name: readValue(known.name, `${where}/name`, '', findings),
      secretFile: readValue(known.secretFile, `${where}/secretFile`, '', findings),
    }
  })
}
