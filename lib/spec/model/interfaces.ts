// Names and patterns of interfaces → whether one interface can fit two of them. Pure.
//
// A final `*` stands for any ending, also none, as nft compares.

const startOf = (name: string): string | undefined =>
  name.endsWith('*') ? name.slice(0, -1) : undefined

/** Whether each interface that fits `inner` also fits one entry of the list. */
export const isWithin = (inner: string, list: readonly string[]): boolean =>
  list.some((outer) => {
    const start = startOf(outer)
    return start === undefined ? outer === inner : inner.startsWith(start)
  })

/** Whether one interface can fit both lists. An empty list stands for all interfaces. */
export const interfacesMeet = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === 0 || b.length === 0 || a.some((one) => b.some((other) => meet(one, other)))

function meet(a: string, b: string): boolean {
  const [left, right] = [startOf(a), startOf(b)]
  if (left === undefined) return right === undefined ? a === b : a.startsWith(right)
  if (right === undefined) return b.startsWith(left)
  return left.startsWith(right) || right.startsWith(left)
}
