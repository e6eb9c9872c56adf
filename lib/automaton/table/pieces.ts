// Pieces of packets that come before anything has put them together → the chain that judges them.
// Pure.
import { ACCEPT, type Chain, DROP, jump, type Match, type Rule } from '../language/automaton.js'

const PIECES = 'pieces'

const piece = (part: Extract<Match, { kind: 'piece' }>['part']): Match => ({ kind: 'piece', part })

/**
 * Before all else: of a later piece, too, the kernel reads ports and flags where there are none.
 */
export const PIECES_RULE: Rule = {
  when: [piece('any')],
  verdict: jump(PIECES),
  comment: 'not put together yet',
}

/**
 * What goes on from here is whole, or a first piece with all that is asked of it. RFC 3128: a
 * header in two pieces hides its flags. What pads a frame, or what the host will cut off the piece,
 * would be read in their place.
 */
export const PIECES_CHAIN: Chain = {
  name: PIECES,
  rules: [
    { when: [piece('header')], verdict: DROP, comment: 'a header in pieces' },
    { when: [piece('later')], verdict: ACCEPT, comment: 'judged by its first piece' },
    { when: [piece('bare')], verdict: DROP, comment: 'a first piece without its header' },
  ],
}
