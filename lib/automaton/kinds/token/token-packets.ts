// What bears a token → the packets that may be one, and those that are certainly no guess. Pure.
import { TOKEN_AT } from '../../../spec/derive/carrier.js'
import { TOKEN_LENGTH } from '../../../spec/derive/derivation.js'
import type { Carrier } from '../../../spec/model/model.js'
import type { Match } from '../../language/automaton.js'

const bytes = (at: number, digits: string): Match => ({ kind: 'bytes', at, bytes: digits })

/**
 * A binding request (RFC 8489, sections 5 and 14.3) whose first attribute is USERNAME: the server's
 * fragment, which is the token, and a colon (RFC 8445, section 7.2.2). What follows is the
 * browser's own fragment, of any length, and its other attributes.
 */
const REQUEST = '0001'
const COOKIE = '2112a442'
const USERNAME = '0006'
const COLON = '3a'
const BINDING: readonly Match[] = [
  bytes(0, REQUEST),
  bytes(4, COOKIE),
  bytes(20, USERNAME),
  bytes(TOKEN_AT.stun + TOKEN_LENGTH, COLON),
]

/** The length of the first label of a question, which begins behind a header of 12 bytes. */
const LABEL_AT = TOKEN_AT.dns - 1
const LABEL_LENGTH = TOKEN_LENGTH.toString(16)
/** The counts of questions and of answers (RFC 1035, section 4.1.1): one, and none. */
const ONE_QUESTION = bytes(4, '00010000')

/** By carrier, what the packets have in common that bear a token. */
export const BEARING: Readonly<Record<Carrier, readonly Match[]>> = {
  udp: [{ kind: 'length', of: 'udp', length: TOKEN_LENGTH }],
  stun: BINDING,
  dns: [bytes(LABEL_AT, LABEL_LENGTH)],
}

/** A question whose first label is shorter or longer than a token. */
export const OTHER_QUESTION: readonly Match[] = [
  ONE_QUESTION,
  { kind: 'bytes', at: LABEL_AT, bytes: LABEL_LENGTH, not: true },
]
