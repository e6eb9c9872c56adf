// Two sources → their order by number; as text 10.0.0.10 would come before 10.0.0.9. Pure.

interface WithSource {
  readonly source: string
}

/** Puts IPv4 before IPv6, and anything that is no address first. */
export const bySource = (a: WithSource, b: WithSource): number => {
  const [left, right] = [keyOf(a.source), keyOf(b.source)]
  return left < right ? -1 : left > right ? 1 : 0
}

/** Keys of one family have the same length, so that text sorts like numbers. */
function keyOf(source: string): string {
  if (!source.includes(':')) {
    const bytes = source.split('.').map((byte) => byte.padStart(3, '0'))
    return bytes.length === 4 ? `4${bytes.join('')}` : ''
  }
  const [head = [], tail = []] = source.split('::').map((part) => part.split(':').filter(Boolean))
  const zeros = Array.from({ length: Math.max(8 - head.length - tail.length, 0) }, () => '')
  return `6${[...head, ...zeros, ...tail].map((group) => group.padStart(4, '0')).join('')}`
}
