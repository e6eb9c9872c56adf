// What a door's calls need of its table. Types.
import type { Elements } from '../kernel/elements.js'
import type { CallOptions } from '../kernel/nft.js'
import type { Listing } from '../nft/listing.js'
import type { StandingDoors } from './standing-doors.js'

/** The table of a door. */
export interface Place {
  readonly table: string
  readonly elements: Elements
  readonly doors: StandingDoors
  /**
   * Lists the table. `most` says how many elements of a set are wanted, by the set's name in nft.
   */
  list(operation: string, most: (set: string) => number): Promise<Listing>
  call(operation: string): CallOptions & { readonly operation: string }
}
