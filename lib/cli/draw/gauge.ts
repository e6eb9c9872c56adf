// A share, or a number of steps → a bar or stages; seconds → words. Pure.
import { type Role, type Span, span } from './paint.js'
import type { Signs } from './terminal.js'

/** Either the share of something that is left, or how many of `of` steps are done. */
export type Gauge =
  | { readonly share: number; readonly done?: never }
  | { readonly done: number; readonly of: number; readonly share?: never }

/** Draws a gauge of exactly this width. If there are more steps than columns, draws a bar. */
export function drawGauge(gauge: Gauge, width: number, role: Role, signs: Signs): Span[] {
  if (gauge.share === undefined && gauge.of <= width) {
    const { done, of } = gauge
    const stages = [
      span(signs.done.repeat(Math.min(done, of)), role),
      span(signs.awaited.repeat(Math.max(of - done, 0)), role),
    ]
    return [...stages, span(' '.repeat(width - of))]
  }
  const share = gauge.share ?? gauge.done / gauge.of
  // Rounded up: a small share is never drawn as nothing.
  const full = Math.ceil(width * Math.min(Math.max(share, 0), 1))
  return [span(signs.full.repeat(full), role), span(signs.empty.repeat(width - full), 'faint')]
}

const MINUTE = 60
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** Renders the two largest units: `28 s`, `9 m 20 s`, `1 h 12 m`, `6 d 3 h`. */
export function formatSeconds(seconds: number): string {
  if (seconds < MINUTE) return `${seconds} s`
  if (seconds < HOUR) return twoUnits(seconds, MINUTE, 'm', 1, 's')
  if (seconds < DAY) return twoUnits(seconds, HOUR, 'h', MINUTE, 'm')
  return twoUnits(seconds, DAY, 'd', HOUR, 'h')
}

function twoUnits(seconds: number, unit: number, name: string, less: number, lessName: string) {
  const rest = Math.floor((seconds % unit) / less)
  const whole = `${Math.floor(seconds / unit)} ${name}`
  return rest === 0 ? whole : `${whole} ${rest} ${lessName}`
}
