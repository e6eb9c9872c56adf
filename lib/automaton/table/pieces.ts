// The chain that judges fragments at hooks before conntrack, where nothing has reassembled them.
// Pure.
import { ACCEPT, type Chain, DROP, jump, type Match, type Rule } from '../language/automaton.js'

const PIECES = 'pieces'

const piece = (part: Extract<Match, { kind: 'piece' }>['part']): Match => ({ kind: 'piece', part })

/** Comes first, since the kernel reads ports and flags also in later fragments, which have none. */
export const PIECES_RULE: Rule = {
  when: [piece('any')],
  verdict: jump(PIECES),
  comment: 'not put together yet',
}

/**
 * Only whole packets and first fragments with all matched headers go on. A header in two fragments
 * hides its flags (RFC 3128). The padding of a frame, or bytes that the host will cut off, would be
 * read in their place.
 */
export const PIECES_CHAIN: Chain = {
  name: PIECES,
  rules: [
    { when: [piece('header')], verdict: DROP, comment: 'a header in pieces' },
    { when: [piece('later')], verdict: ACCEPT, comment: 'judged by its first piece' },
    { when: [piece('bare')], verdict: DROP, comment: 'a first piece without its header' },
  ],
}
