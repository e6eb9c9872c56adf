// The kinds of a profile that are no list of steps, in the user's words → what they mean, defaults filled in. Pure.

import type {
  RateProfile,
  RhythmProfile,
  RotateProfile,
  TokenProfile,
} from '../spec/generated/client-types.js'
import type { Findings } from '../spec/model/findings.js'
import { LEAST_PERIOD, LEAST_WINDOW } from '../spec/read/read-knock.js'
import { LEAST_EVERY, readRange } from '../spec/read/read-sequence.js'
import { readDuration, readKnockPort, readPause, readValue } from '../spec/read/read-values.js'
import type { RateKnock, RhythmKnock, RotatingKnock, TokenKnock } from './model.js'

/** Seconds for which one token is made unless the profile says otherwise. */
const DEFAULT_PERIOD = 30

export function readToken(token: TokenProfile, findings: Findings): TokenKnock {
  const { period = DEFAULT_PERIOD } = token
  return {
    kind: 'token',
    door: readValue(token.door, '/token/door', '', findings),
    secretFile: readValue(token.secretFile, '/token/secretFile', '', findings),
    port: readKnockPort(token.port, '/token/port', findings).port,
    period: readDuration(period, '/token/period', findings, LEAST_PERIOD),
  }
}

export function readRotate(rotate: RotateProfile, findings: Findings): RotatingKnock {
  return {
    kind: 'rotate',
    door: readValue(rotate.door, '/rotate/door', '', findings),
    secretFile: readValue(rotate.secretFile, '/rotate/secretFile', '', findings),
    every: readDuration(rotate.every, '/rotate/every', findings, LEAST_EVERY),
    length: readValue(rotate.steps, '/rotate/steps', 2, findings),
    protocol: readValue(rotate.protocol, '/rotate/protocol', 'tcp' as const, findings),
    ports: readRange(rotate.ports, '/rotate/ports', findings),
  }
}

export function readRate(rate: RateProfile, findings: Findings): RateKnock {
  const min = readPause(rate.min, '/rate/min', 0, findings)
  const max = rate.max === undefined ? {} : { max: readDuration(rate.max, '/rate/max', findings) }
  if (max.max !== undefined && max.max <= min) findings.add('/rate/max', 'a time after min')
  return {
    kind: 'rate',
    port: readKnockPort(rate.port, '/rate/port', findings),
    hits: readValue(rate.hits, '/rate/hits', 1, findings),
    min,
    ...max,
  }
}

export function readRhythm(rhythm: RhythmProfile, findings: Findings): RhythmKnock {
  return {
    kind: 'rhythm',
    port: readKnockPort(rhythm.port, '/rhythm/port', findings),
    counts: readValue(rhythm.counts, '/rhythm/counts', [], findings),
    window: readDuration(rhythm.window, '/rhythm/window', findings, LEAST_WINDOW),
  }
}
