// What a table says of its doors → the knock that a mark means, and the door that has a service.
// Pure.

import { parseService } from '../../spec/model/step.js'
import type { Logged } from '../language/log-prefix.js'
import type { Attempt } from '../language/names.js'
import type { DoorSummary, SharedSummary } from '../language/summary.js'
import { numberIn, stageIn } from './names.js'

export interface FoundKnock {
  readonly door: DoorSummary
  readonly attempt: Attempt
  readonly number: number
  readonly steps: number
}

/** The shared knocks of a table. */
export class SharedKnocks {
  readonly #byNumber = new Map<number, FoundKnock>()
  readonly #byService = new Map<string, DoorSummary>()

  constructor(doors: Iterable<DoorSummary>) {
    for (const door of doors) {
      const { shared } = door
      if (!shared) continue
      this.#byService.set(`${shared.service.protocol}/${shared.service.port}`, door)
      for (const knock of shared.knocks) this.#byNumber.set(knock.number, { ...knock, door })
    }
  }

  get isEmpty(): boolean {
    return this.#byNumber.size === 0
  }

  find(number: number): FoundKnock | undefined {
    return this.#byNumber.get(number)
  }

  /** The door whose service is a port. */
  doorAt(protocol: 'tcp' | 'udp', port: number | string): DoorSummary | undefined {
    return this.#byService.get(`${protocol}/${port}`)
  }

  /**
   * Completes an event with what the packet's mark says; undefined if no knock has that number.
   */
  name({ event }: Logged, mark: number): Logged | undefined {
    const found = this.#byNumber.get(numberIn(mark))
    if (!found) return undefined
    const { door, attempt, steps: of } = found
    const stage = stageIn(mark)
    // A packet to the service belongs to no knock.
    return event === 'denied'
      ? { event, door: door.name }
      : { event, door: door.name, attempt, stage, of }
  }
}

/**
 * Adds a shared knock to a door: its attempt, number and length, as words. Undefined if they are
 * none, or if the door's service is not one port.
 */
export function withKnock(
  { services, shared }: DoorSummary,
  [attempt = '', ...numbers]: readonly string[],
): SharedSummary | undefined {
  const { protocol, ports } = parseService(services[0] ?? '') ?? {}
  const [number, steps, ...more] = numbers.map((word) =>
    /^\d{1,10}$/.test(word) ? Number(word) : undefined,
  )
  if (!/^(?:open|close)\d{0,4}$/.test(attempt) || more.length > 0) return undefined
  if (number === undefined || steps === undefined || !ports) return undefined
  if (protocol !== 'tcp' && protocol !== 'udp') return undefined
  const knock = { attempt: attempt as Attempt, number, steps }
  return { service: { protocol, port: ports.from }, knocks: [...(shared?.knocks ?? []), knock] }
}
