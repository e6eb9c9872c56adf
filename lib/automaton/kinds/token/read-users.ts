// The users of a token's knock, in the user's words → valid ones. Pure.
import type { TokenKnock, TokenUser } from '../../../spec/generated/knock-types.js'
import { parseHours } from '../../../spec/hours/hours.js'
import { parseUntil } from '../../../spec/hours/until.js'
import { isZone } from '../../../spec/hours/zone.js'
import { mergeCidrs, readCidrs } from '../../../spec/model/address.js'
import type { Findings } from '../../../spec/model/findings.js'
import type { HoursRange, ValidUser } from '../../../spec/model/model.js'
import { readList, readValue } from '../../../spec/model/read-values.js'

/**
 * Reads the users. Parts that the schema refused are empty, so that the others keep their indices.
 */
export function readUsers({ users }: TokenKnock, path: string, findings: Findings): ValidUser[] {
  return readValue(users, path, [], findings).map((user, index) => {
    const where = `${path}/${index}`
    return readUser(readValue<Partial<TokenUser>>(user, where, {}, findings), where, findings)
  })
}

function readUser(user: Partial<TokenUser>, where: string, findings: Findings): ValidUser {
  const { from, hours, until } = user
  const zone = readZone(user.zone, `${where}/zone`, findings)
  const ends = readUntil(until, zone, `${where}/until`, findings)
  return {
    name: readValue(user.name, `${where}/name`, '', findings),
    secretFile: readValue(user.secretFile, `${where}/secretFile`, '', findings),
    ...(from !== undefined && { from: readFrom(from, `${where}/from`, findings) }),
    ...(hours !== undefined && {
      hours: { zone, ranges: readHours(hours, `${where}/hours`, findings) },
    }),
    ...(ends !== undefined && { until: ends }),
  }
}

const readFrom = (from: string | readonly string[], path: string, findings: Findings) =>
  mergeCidrs(readCidrs(readValue(from, path, [], findings), path, findings))

/** Reads the zone. If there is no such zone, UTC stands in. */
function readZone(zone: string | undefined, path: string, findings: Findings): string {
  const known = readValue(zone, path, 'UTC', findings)
  if (isZone(known)) return known
  findings.add(path, 'the name of a time zone, such as "Europe/Berlin"')
  return 'UTC'
}

const readHours = (
  hours: string | readonly string[],
  path: string,
  findings: Findings,
): HoursRange[] =>
  readList(readValue(hours, path, [], findings), path, findings, (text, where) => {
    const ranges = parseHours(text)
    if (!ranges) findings.add(where, 'hours whose ranges end at another time than they begin')
    return ranges && { ranges }
  }).flatMap(({ ranges }) => ranges)

function readUntil(
  until: string | undefined,
  zone: string,
  path: string,
  findings: Findings,
): number | undefined {
  if (until === undefined || !findings.isClean(path)) return undefined
  const ends = parseUntil(until, zone)
  if (ends === undefined) findings.add(path, 'a day and a time that exist')
  return ends
}
