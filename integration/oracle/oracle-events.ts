// What happens at the doors → the list of events that a kernel would log.
import type { Packet } from '../../lib/simulate/packet.js'

export interface OracleEvent {
  readonly at: number
  readonly source: string
  readonly event: string
  readonly door?: string
  readonly attempt?: string
  /** How many packets of the knock have come, and how many it has. */
  readonly stage?: number
  readonly of?: number
  readonly user?: string
  readonly by?: 'trap'
}

/** The door and the attempt of an event. */
interface Knocker {
  readonly door: { readonly spec: { readonly name: string } }
  readonly id: string
}

/** The events of a trace, in the order in which they happened. */
export class OracleEvents {
  readonly #list: OracleEvent[] = []

  get list(): readonly OracleEvent[] {
    return this.#list
  }

  /** Records an event of a knock. */
  knocked(
    { door, id: attempt }: Knocker,
    event: 'knock' | 'granted' | 'reset' | 'wrong' | 'closed',
    { source, at }: Packet,
    rest: Pick<OracleEvent, 'stage' | 'of' | 'user'> = {},
  ): void {
    this.#list.push({ at, source, event, door: door.spec.name, attempt, ...rest })
  }

  /** Records an event of a door without a knock. */
  met(door: Knocker['door'], event: 'denied' | 'closed', { source, at }: Packet): void {
    this.#list.push({ at, source, event, door: door.spec.name })
  }

  banned({ source, at }: Packet, by?: 'trap'): void {
    this.#list.push({ at, source, event: 'banned', ...(by && { by }) })
  }
}
