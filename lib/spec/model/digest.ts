// A value → a few hex digits that are the same for the same value. Pure.
import { createRequire } from 'node:module'

const load = createRequire(import.meta.url)

/** The first so many hex digits of the SHA-256 of the value's JSON. */
export function hexDigest(value: unknown, digits: number): string {
  // Loading it takes a tenth of what importing knocklib may take, and most who import render
  // nothing.
  const { createHash }: typeof import('node:crypto') = load('node:crypto')
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, digits)
}
