// The automaton's matches of fragments → nft's comparisons, which differ for IPv4 and IPv6. Pure.
import type { Match } from '../../automaton/language/automaton.js'
import type { NftStatement } from '../document.js'
import { compare, payload } from './keys.js'

type Part = Extract<Match, { kind: 'piece' }>['part']

/** RFC 791: the bit "more fragments", and the offset in units of 8 bytes. */
const MORE = 0x2000
const OFFSET = 0x1fff
/**
 * The longest IPv4 header (60) and TCP's up to its flags (16). No network has such small packets
 * that an honest sender would split there.
 */
const LEAST = 60 + 16

export function renderPiece4(part: Part): NftStatement {
  const masked = (mask: number) => ({ '&': [payload('ip', 'frag-off'), mask] })
  switch (part) {
    case 'any':
    case 'none':
      return compare(part === 'any' ? '!=' : '==', masked(MORE | OFFSET), 0)
    case 'header':
      return compare('==', masked(OFFSET), 1)
    case 'later':
      return compare('!=', masked(OFFSET), 0)
    case 'bare':
      return compare('==', payload('ip', 'length'), { range: [0, LEAST - 1] })
  }
}

/**
 * RFC 8200: hop-by-hop options, routing, another fragment header, destination options. Behind these
 * the transport header can begin in a later fragment. Honest senders put them before the fragment
 * header.
 */
const MORE_HEADERS = [0, 43, 44, 60]

export function renderPiece6(part: Part): NftStatement {
  const fragment = (field: string) => ({ exthdr: { name: 'frag', field } })
  switch (part) {
    case 'any':
    case 'none':
      return compare('==', { exthdr: { name: 'frag' } }, part === 'any')
    case 'header':
      return compare('==', fragment('frag-off'), 1)
    case 'later':
      return compare('!=', fragment('frag-off'), 0)
    case 'bare':
      return compare('==', fragment('nexthdr'), { set: MORE_HEADERS })
  }
}
