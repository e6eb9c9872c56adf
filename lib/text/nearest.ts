// An unknown word and the known ones → the known word that was probably meant. Pure.

/**
 * Finds the known word with the fewest missing, added or exchanged letters: at most 2, or 1 if
 * `word` has fewer than 4 letters. Case is ignored unless it breaks a tie. Undefined if no word is
 * near.
 */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const most = word.length < 4 ? 1 : 2
  const measured = known.map((name) => ({ name, distance: distanceOf(word, name) }))
  const near = measured.filter(({ distance }) => distance <= most)
  return near.toSorted((a, b) => a.distance - b.distance)[0]?.name
}

/**
 * Counts letters to change, add or remove, and neighbours to swap. Case costs nothing; an exact
 * match is 0.1 nearer, to break ties.
 */
function distanceOf(a: string, b: string): number {
  const [left, right] = [a.toLowerCase(), b.toLowerCase()]
  let [before, row]: [number[], number[]] = [[], [...Array(right.length + 1).keys()]]
  for (let i = 1; i <= left.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= right.length; j += 1) {
      const same = left[i - 1] === right[j - 1] ? 0 : 1
      const changed = (row[j - 1] as number) + same
      const isSwap = i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1]
      const swapped = isSwap ? (before[j - 2] as number) + 1 : changed
      next.push(Math.min(changed, swapped, (row[j] as number) + 1, (next[j - 1] as number) + 1))
    }
    ;[before, row] = [row, next]
  }
  return (row[right.length] as number) + (a === b ? -0.1 : 0)
}
