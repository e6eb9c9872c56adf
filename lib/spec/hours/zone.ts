// A time zone's name and instants → how far its clocks are ahead of UTC. Pure: the rules of the
// zones are those that Node was built with.

/** A time in which the clocks of a zone are the same number of seconds ahead of UTC. */
export interface Stretch {
  /** In seconds since 1970; `to` is not included. */
  readonly from: number
  readonly to: number
  readonly offset: number
}

/** Making a format takes a thousand times as long as using it. */
const formats = new Map<string, Intl.DateTimeFormat>()

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone)
  if (known) return known
  const made = new Intl.DateTimeFormat('en-US-u-ca-gregory-nu-latn', {
    timeZone: zone,
    ...({ year: 'numeric', month: 'numeric', day: 'numeric' } as const),
    ...({ hour: 'numeric', minute: 'numeric', second: 'numeric', hourCycle: 'h23' } as const),
  })
  formats.set(zone, made)
  return made
}

/** Whether Node knows a zone of that name. */
export function isZone(zone: string): boolean {
  try {
    formatOf(zone)
    return true
  } catch {
    return false
  }
}

/** How many seconds the clocks of a zone are ahead of UTC at a time, a whole number of seconds. */
export function offsetAt(zone: string, at: number): number {
  if (zone === 'UTC') return 0
  const parts = new Map<string, number>()
  for (const { type, value } of formatOf(zone).formatToParts(1000 * at)) {
    parts.set(type, Number(value))
  }
  const part = (type: string) => parts.get(type) ?? 0
  const [month, day] = [part('month') - 1, part('day')]
  const shown = Date.UTC(part('year'), month, day, part('hour'), part('minute'), part('second'))
  return shown / 1000 - at
}

/** Seconds between two looks at the clocks. No zone changes them twice in that time. */
const STEP = 6 * 3600

/**
 * Divides a time, in whole seconds since 1970, where the clocks of a zone change. The stretches
 * follow each other without a gap.
 */
export function stretchesOf(zone: string, from: number, to: number): Stretch[] {
  const earlier: Stretch[] = []
  let begin = from
  let offset = offsetAt(zone, from)
  for (let at = from; at < to; at += STEP) {
    const next = Math.min(at + STEP, to)
    const later = offsetAt(zone, next)
    if (later === offset) continue
    const change = changeBetween(zone, at, next)
    earlier.push({ from: begin, to: change, offset })
    begin = change
    offset = later
  }
  return [...earlier, { from: begin, to, offset }]
}

/** Finds the first second with other clocks than `from` has. At `to` they are other ones. */
function changeBetween(zone: string, from: number, to: number): number {
  const before = offsetAt(zone, from)
  let [low, high] = [from, to]
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (offsetAt(zone, middle) === before) low = middle
    else high = middle
  }
  return high
}
