// Addresses → the order of their numbers: text would put 10.0.0.10 before 10.0.0.9. Pure.

interface WithSource {
  readonly source: string
}

/** IPv4 before IPv6; what is no address comes first. */
export const bySource = (a: WithSource, b: WithSource): number => {
  const [left, right] = [keyOf(a.source), keyOf(b.source)]
  return left < right ? -1 : left > right ? 1 : 0
}

/** Of the same length within a family, so that text compares as numbers do. */
function keyOf(source: string): string {
  if (!source.includes(':')) {
    const bytes = source.split('.').map((byte) => byte.padStart(3, '0'))
    return bytes.length === 4 ? `4${bytes.join('')}` : ''
  }
  const [head = [], tail = []] = source.split('::').map((part) => part.split(':').filter(Boolean))
  const zeros = Array.from({ length: Math.max(8 - head.length - tail.length, 0) }, () => '')
  return `6${[...head, ...zeros, ...tail].map((group) => group.padStart(4, '0')).join('')}`
}
