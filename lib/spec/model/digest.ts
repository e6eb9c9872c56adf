// A value → hex digits that are the same for the same value. Pure.
import { createRequire } from 'node:module'

const load = createRequire(import.meta.url)

/** Returns the first `digits` hex digits of the SHA-256 of the value's JSON. */
export function hexDigest(value: unknown, digits: number): string {
  // Loaded on use: it takes a tenth of the time that importing knocklib may take, and most
  // importers render nothing.
  const { createHash }: typeof import('node:crypto') = load('node:crypto')
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, digits)
}
