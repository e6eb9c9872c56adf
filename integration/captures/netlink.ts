// The recording of `npm run bench -- capture` → what nft sent to the kernel, and the answers.
import { readFileSync } from 'node:fs'

export interface Datagrams {
  readonly sent: readonly Uint8Array[]
  readonly received: readonly Uint8Array[]
}

type Recorded = Record<string, Record<string, { sent: string[]; received: string[] }>>

/** Reads the recordings, by nft's version and by the name of the request. */
export function readCaptures(): ReadonlyMap<string, ReadonlyMap<string, Datagrams>> {
  // If this module is compiled, the recording is still beside its source.
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
