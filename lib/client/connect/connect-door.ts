// A profile → a connection to the service behind the door, where there are sockets. Loads what
// makes it when it is called.

// biome-ignore lint/suspicious/noTsIgnore: stands in the declarations; others have an unused error.
/** @ts-ignore: without the types of Node, as in a program for a browser, it is `any`. */
import type { Socket } from 'node:net'
import { CapabilityError } from '../../errors.js'
import type { KnockProfile } from '../../spec/generated/client-types.js'
import type { OpenDoorOptions } from '../open-door.js'
import { hasSockets } from '../system/system.js'

/**
 * Why a connection waits: for another one that knocks, or so many seconds for the next period of a
 * token.
 */
export type ConnectWait =
  | { readonly reason: 'turn' }
  | { readonly reason: 'period'; readonly seconds: number }

export interface ConnectDoorOptions extends OpenDoorOptions {
  /**
   * For how long knocks and attempts go on, as a duration, from the first knock on. Default: 15 s,
   * and for a token one period more.
   */
  readonly within?: string | number | undefined
  /** Called when it waits. */
  readonly onWait?: ((wait: ConnectWait) => void) | undefined
}

const OPERATION = 'connectDoor'

/**
 * Knocks, and connects to the service behind the door at the addresses that were knocked at: to the
 * first that answers, in the resolver's order. While nothing answers it knocks again, as `openDoor`
 * does.
 *
 * Connections of the same user that begin at the same time share one knock, also if they are those
 * of several processes: the others wait for the one that knocks. None knocks while a grant stands
 * whose time the profile says (`for`). If the profile says for how many connections a knock opens
 * the door, each knocks for itself, one after the other. What they share is in
 * $XDG_RUNTIME_DIR/knocklib, or in a folder of the user's own among the temporary files. If another
 * user can write to that folder, each connection knocks for itself.
 *
 * It needs sockets: Node, Deno or Bun, on any system.
 *
 * @param host - a name or an address; undefined: the profile's.
 * @param profile - what to send, or the path of the JSON or YAML file that says it.
 * @returns a socket that is connected. Nothing is read from it yet, and the end of one direction
 * leaves the other one open. The caller ends or destroys it.
 * @throws ConnectError with the code `refused` if nothing listens at the port, and `filtered` if
 * nothing came back.
 * @throws ArgumentError if no port is known, or the time is no duration.
 * @throws CapabilityError in a browser, before anything is sent.
 * @throws the signal's reason: it ends the knock and the waits, and does not end a connection that
 * was returned.
 * @throws what `sendKnock` throws.
 */
export async function connectDoor(
  host: string | undefined,
  profile: KnockProfile | string,
  options: ConnectDoorOptions = {},
): Promise<Socket> {
  if (!hasSockets()) {
    throw new CapabilityError(OPERATION, 'a TCP connection', 'a browser cannot do that')
  }
  const { connectToDoor } = await import('./connection.js')
  return connectToDoor(host, profile, options)
}
