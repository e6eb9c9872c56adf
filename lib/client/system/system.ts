// What a client needs of the system that it runs on: Node's, also in Deno and Bun, or a browser's.
// Loads the one that is there.
import type { Shot } from '../../automaton/language/client-kind.js'
import type { Address } from '../../spec/model/address.js'
import type { Family, Step } from '../../spec/model/packet-model.js'
import type { OutletOptions } from './outlet.js'

/** A packet that leaves. */
export interface Leaving {
  /** When it has left, as far as can be told: another one sent then comes behind it. */
  readonly left: Promise<void>
  /** When nothing of it is there any more; a failure may come late. */
  readonly over: Promise<void>
}

/** What a port says to a connection. */
export type Answer = 'open' | 'refused' | 'filtered'

export interface System {
  /** Reads a JSON or YAML file. */
  readDocument(path: string): Promise<unknown>
  /** @param profile - the path of the profile that names the file. */
  readSecret(file: string, profile: string | undefined): Promise<Uint8Array>
  /** Every address of a host, of these families. */
  resolve(host: string, families: readonly Family[]): Promise<readonly Address[]>
  senderTo(address: Address): (shot: Shot) => Leaving
  /** Tries a TCP port, for so many milliseconds. */
  probe(address: Address, port: number, time: number): Promise<Answer>
  /** Takes the first sequence that works once out of a file. */
  takeSequence(from: {
    readonly path: string
    readonly door: string | undefined
    readonly read: (document: unknown) => Promise<readonly (readonly Step[])[]>
  }): Promise<{ readonly steps: readonly Step[]; readonly left: number }>
}

/**
 * @throws ArgumentError if the machine has no such source or interface.
 * @throws CapabilityError if there are neither sockets nor WebRTC.
 */
export async function systemOf(options: OutletOptions, operation: string): Promise<System> {
  if (hasSockets()) {
    const { nodeSystem } = await import('./node.js')
    return nodeSystem(options, operation)
  }
  const { browserSystem } = await import('./browser.js')
  return browserSystem(operation)
}

/** Deno and Bun have Node's modules, and say so. */
export const hasSockets = (): boolean => globalThis.process?.versions?.node !== undefined
