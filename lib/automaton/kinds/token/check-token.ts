// Rejects tokens of a door that cannot work or that conflict with each other. Pure.
import { LONGEST_TOKEN } from '../../../spec/derive/derivation.js'
import { formatDuration } from '../../../spec/model/duration.js'
import type { Findings } from '../../../spec/model/findings.js'
import type { ValidDoor, ValidToken } from '../../../spec/model/model.js'
import { areRead } from '../../../spec/model/read-values.js'
import { refusingBrowsers } from './browser-ports.js'

export function checkTokens(
  tokens: readonly ValidToken[],
  _door: ValidDoor,
  findings: Findings,
): void {
  for (const token of tokens) {
    checkPort(token, findings)
    checkTimes(token, findings)
    checkUsers(token, findings)
  }
  const [first, second] = tokens
  if (second) {
    const reason = 'both would accept the same tokens'
    findings.conflict(`${second.origin}/type`, first?.origin ?? '', reason)
  }
}

/** Reports a port of browsers' tokens that a browser leaves out without a word. */
function checkPort({ origin, carrier, port }: ValidToken, findings: Findings): void {
  if (carrier !== 'stun' || !areRead(origin, ['carrier', 'port'], findings)) return
  const refusing = refusingBrowsers(port)
  if (refusing === undefined) return
  const expected = 'a port that browsers send to, such as udp/3478'
  findings.add(`${origin}/port`, `${expected} (${refusing} to ${port})`)
}

/** The most periods for which tokens of one user are loaded at a time. */
const MOST_PERIODS = 100_000

function checkTimes({ origin, period, drift, horizon }: ValidToken, findings: Findings): void {
  const most = MOST_PERIODS - 2
  if (!areRead(origin, ['period', 'drift', 'horizon'], findings)) return
  const isLong = horizon + drift + period > LONGEST_TOKEN
  if (horizon + drift <= most * period && !isLong) return
  if (isLong) {
    const longest = formatDuration(LONGEST_TOKEN)
    const key = findings.isGiven(`${origin}/horizon`) ? 'horizon' : 'period'
    findings.add(`${origin}/${key}`, `at most ${longest} of horizon, drift and period together`)
    return
  }
  const [long, other] = findings.isGiven(`${origin}/horizon`)
    ? ['horizon', 'drift']
    : ['drift', 'horizon']
  findings.add(`${origin}/${long}`, `at most ${most} times period, together with ${other}`)
}

function checkUsers({ origin, users }: ValidToken, findings: Findings): void {
  for (const [key, what] of [
    ['name', 'name'],
    ['secretFile', 'secret'],
  ] as const) {
    const first = new Map<string, string>()
    for (const [index, user] of users.entries()) {
      const place = `${origin}/users/${index}`
      if (!areRead(place, [key], findings)) continue
      const earlier = first.get(user[key])
      if (earlier === undefined) first.set(user[key], place)
      else findings.conflict(`${place}/${key}`, `${earlier}/${key}`, `both have the same ${what}`)
    }
  }
}
