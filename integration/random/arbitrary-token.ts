// A token knock and some numbers → datagrams of its carrier with tokens that are right, or wrong in
// some way. Pure.
import type { ValidDoor, ValidToken } from '../../lib/spec/model/model.js'
import { tokensAt } from '../oracle/oracle-secrets.js'
import { type Circumstances, pick, type Sent } from './arbitrary-run.js'

const YEAR = 365 * 86400

/** A token, and perhaps the same again, as its client would repeat it: with another number. */
export function runOfToken(door: ValidDoor, knock: ValidToken, around: Circumstances): Sent[] {
  const first = tokenFor(door, knock, around)
  if (knock.carrier === 'udp' || around.detail % 3 === 0) return [first]
  const again = tokenFor(door, knock, { ...around, number: around.detail + 1 })
  return [first, { ...again, gap: pick([0, 0.25, 1], around.detail) }]
}

/** A token that is right, or of another time, user or length, or in another packet. */
export function tokenFor(
  { name }: ValidDoor,
  knock: ValidToken,
  { at, secrets, detail, number = detail }: Circumstances & { readonly number?: number },
): Sent {
  const { period, drift, users, port, carrier } = knock
  const file = pick(users, detail).secretFile
  const make = (time: number, of = file, half = 0): string =>
    tokensAt(secrets, of, name, knock, time)[half] ?? ''
  const bear = (token: string, by = carrier) => datagram(by, token, number)
  const stranger = [...secrets.keys()].find((own) => users.every((user) => user.secretFile !== own))
  const payload = pick(
    [
      bear(make(at)),
      bear(make(at)),
      bear(make(at)),
      bear(make(at, file, 1)),
      bear(make(at - period)),
      bear(make(at - 2 * period - drift)),
      bear(make(at - YEAR)),
      bear(make(at + period)),
      bear(make(at + YEAR)),
      bear(`${make(at)}00`),
      bear(make(at).slice(2)),
      bear(make(at, stranger ?? file)),
      '',
      // Cut off within the token, and just behind it.
      bear(make(at)).slice(0, carrier === 'dns' ? 50 : 70),
      bear(make(at)).slice(0, carrier === 'dns' ? 58 : 80),
      bear(make(at), pick(['udp', 'stun', 'dns'] as const, detail)),
      ...otherHeaders(bear(make(at))),
      // What nslookup asks first: whose name the server's address is.
      datagram('dns', '31', number, '023737'),
    ],
    detail,
  )
  return { protocol: 'udp', port, payload, length: payload.length / 2 }
}

/** The same with one byte changed at each place that makes it what it is. */
function otherHeaders(payload: string): string[] {
  const places = [1, 2, 5, 7, 12, 21, 40]
  return places
    .filter((place) => 2 * place < payload.length)
    .map((place) => {
      const byte = Number.parseInt(payload.slice(2 * place, 2 * place + 2), 16) ^ 1
      const digits = byte.toString(16).padStart(2, '0')
      return `${payload.slice(0, 2 * place)}${digits}${payload.slice(2 * place + 2)}`
    })
}

/**
 * What a client sends. `number`: its transaction's number; it also decides what else a client is
 * free in, as browsers and name servers' clients differ in it.
 */
export function datagram(
  carrier: ValidToken['carrier'],
  token: string,
  number: number,
  labels = '',
): string {
  const size = token.length / 2
  if (carrier === 'udp') return token
  const id = (0x1000 + number).toString(16)
  if (carrier === 'dns') {
    const flags = number % 2 === 0 ? '0100' : '0000'
    // Firstly a name of one label, or of several; with EDNS behind it, or without.
    const name = `${hex(size)}${token}${labels}00`
    const extra = number % 3 === 0 ? ['0001', '00002904d0000000000000'] : ['0000', '']
    return `${id}${flags}00010000${'0000'}${extra[0]}${name}00010001${extra[1]}`
  }
  // The browser's own fragment, of four characters or eight, and whatever else it says.
  const own = number % 2 === 0 ? '61626364' : '6162636465666768'
  const user = `${token}3a${own}`
  const length = user.length / 2
  const padded = user + '00'.repeat((4 - (length % 4)) % 4)
  const others = '002400046efffeff'
  const rest = (padded.length + others.length) / 2 + 4
  return `0001${hex(rest, 4)}2112a442${id.repeat(6)}0006${hex(length, 4)}${padded}${others}`
}

const hex = (value: number, digits = 2): string => value.toString(16).padStart(digits, '0')
