// Names → a list for an error, which stays short however many there are. Pure.

/** Names that an error has. */
const MOST_NAMES = 20

/** Joins names with commas; those beyond the twentieth are only counted. */
export function someOf(names: readonly string[]): string {
  const some = names.slice(0, MOST_NAMES).join(', ')
  const left = names.length - MOST_NAMES
  return left > 0 ? `${some} and ${left} more` : some
}
