// The recording of `npm run bench -- capture` → what nft sent to the kernel, and the answers.
import { readFileSync } from 'node:fs'

export interface Datagrams {
  /** Bytes. */
  readonly sent: readonly Uint8Array[]
  readonly received: readonly Uint8Array[]
}

type Recorded = Record<string, Record<string, { sent: string[]; received: string[] }>>

/** By nft's version and what was asked of it. */
export function readCaptures(): ReadonlyMap<string, ReadonlyMap<string, Datagrams>> {
  // Also where this is compiled to.
  const file = new URL('netlink.json', import.meta.url.replace('/.cache/', '/'))
  const recorded = JSON.parse(readFileSync(file, 'utf8')) as Recorded
  const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'))
  return new Map(
    Object.entries(recorded).map(([version, exchanges]) => [
      version,
      new Map(
        Object.entries(exchanges).map(([name, { sent, received }]) => [
          name,
          { sent: sent.map(bytes), received: received.map(bytes) },
        ]),
      ),
    ]),
  )
}
