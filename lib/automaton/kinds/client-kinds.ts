// The kinds of knock that a client can send, by the key of their part of a profile. Pure.
//
// A table of its own beside kinds.ts, so that a client does not load the compiler.
import type { Circumstances, ClientKind, Plan } from '../language/client-kind.js'
import { type RateKnock, rate } from './rate/rate-client.js'
import { type RhythmKnock, rhythm } from './rhythm/rhythm-client.js'
import { type RotatingKnock, rotate } from './sequence/rotation-client.js'
import { type OneTimeKnock, oneTime, type StepsKnock, steps } from './sequence/sequence-client.js'
import { type TokenKnock, token } from './token/token-client.js'

/** One member for each kind. */
export type ClientKnock =
  | StepsKnock
  | OneTimeKnock
  | RotatingKnock
  | TokenKnock
  | RateKnock
  | RhythmKnock

export const CLIENT_KINDS: {
  readonly [Key in ClientKnock['kind']]: ClientKind<Extract<ClientKnock, { kind: Key }>, never>
} = { steps, oneTime, rotate, token, rate, rhythm }

export const clientKindOf = ({ kind }: Pick<ClientKnock, 'kind'>) =>
  CLIENT_KINDS[kind] as ClientKind<ClientKnock, unknown>

/** Plans the packets of a knock; of one-time sequences the first. */
export const planKnock = async (knock: ClientKnock, circumstances: Circumstances): Promise<Plan> =>
  clientKindOf(knock).plan(knock, circumstances)
