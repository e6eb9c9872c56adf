// Durations, as the user wrote them ↔ whole seconds. Pure.

/**
 * Seconds by unit. There is no unit below a second: nft's JSON takes anything but whole seconds as
 * "no timeout", which would be for ever.
 */
const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86400 }

/** The shortest window of a rhythm, in seconds. */
export const LEAST_WINDOW = 2

/** The longest duration: 365 days. */
export const MAX_DURATION = 365 * 86400

/** What an error says was expected instead of a value that is no duration. */
export const EXPECTED_DURATION =
  'a duration from 1 s to 365 d in whole seconds, such as 60, "60s", "5m" or "7d"'

/**
 * Reads a duration: a whole number of seconds, or a whole number with `s`, `m`, `h` or `d`. Returns
 * seconds, 1 to 31,536,000; undefined for anything else.
 */
export function parseDuration(value: unknown): number | undefined {
  const match = typeof value === 'string' ? /^([1-9][0-9]{0,8})([smhd])$/.exec(value) : null
  const seconds = match ? Number(match[1]) * (SECONDS[match[2] as string] as number) : value
  if (typeof seconds !== 'number' || !Number.isInteger(seconds)) return undefined
  return seconds >= 1 && seconds <= MAX_DURATION ? seconds : undefined
}

/** Writes seconds as the shortest duration that `parseDuration` reads. */
export function formatDuration(seconds: number): string {
  for (const unit of ['d', 'h', 'm']) {
    const size = SECONDS[unit] as number
    if (seconds > 0 && seconds % size === 0) return `${seconds / size}${unit}`
  }
  return `${seconds}s`
}

/** The longest pause between two packets of a knock: an hour, in milliseconds. */
const LONGEST_GAP = 3_600_000

export const EXPECTED_GAP = 'a gap such as "100ms" or "2s", at most an hour'

/** Reads a pause between two packets, such as `100ms`, or a number of milliseconds. */
export function parseGap(value: string | number): number | undefined {
  const match = typeof value === 'string' ? /^(\d{1,6})(ms|s)$/.exec(value) : null
  const milliseconds = match ? Number(match[1]) * (match[2] === 's' ? 1000 : 1) : value
  if (typeof milliseconds !== 'number') return undefined
  return milliseconds >= 0 && milliseconds <= LONGEST_GAP ? milliseconds : undefined
}
