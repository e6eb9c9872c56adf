// The objects of a listing, and the place where the table says it judges → warnings that packets
// are not judged. Pure.
import type { Automaton } from '../automaton/language/automaton.js'
import { baseChainsOf } from '../change/chains.js'
import { isContent, listOf } from '../nft/parts.js'
import type { Warning } from '../text/warning.js'

type Place = NonNullable<Automaton['place']>

const HOOKS: readonly string[] = ['input', 'forward', 'prerouting', 'ingress']

/**
 * Warns of a table that stands and lets everyone in: it is dormant, or base chains are missing or
 * empty. Before Linux 6.16 a base chain at ingress is deleted with its device.
 *
 * @param place - the hook and interfaces; undefined if the table does not say them.
 */
export function judgingWarnings(objects: readonly unknown[], place: Place | undefined): Warning[] {
  if (contentsOf(objects, 'table').some(({ flags }) => isDormant(flags))) {
    return [warn('dormant', 'the table is dormant, so no packet is judged')]
  }
  const full = new Set(contentsOf(objects, 'rule').map(({ chain }) => chain))
  const judging = baseChainsOf(objects)
    .filter(({ name, content }) => hookOf(name) === content['hook'] && full.has(name))
    .map(({ name }) => name)
  if (!place) {
    if (judging.some((name) => HOOKS.includes(name))) return []
    return [warn('chain-missing', 'the base chain is missing or empty, so no packet is judged')]
  }
  return chainsOf(place)
    .filter(({ name }) => !judging.includes(name))
    .map(({ name, where }) =>
      warn(
        'chain-missing',
        `the base chain ${name} is missing or empty, ` +
          `so nothing that comes in on ${where} is judged`,
      ),
    )
}

const warn = (id: string, reason: string): Warning => {
  return {
    id,
    message:
      `NOT SHUT: ${reason} and strangers get in; install the spec again, or supervise ` +
      'the table with knocklib run',
  }
}

/** The base chains' names, as `baseChains` makes them. */
function chainsOf({
  hook,
  interfaces,
}: Place): { readonly name: string; readonly where: string }[] {
  if (hook !== 'ingress' || interfaces.length < 2) {
    return [{ name: hook, where: interfaces.join(', ') }]
  }
  return interfaces.map((where, index) => ({ name: `${hook}${index + 1}`, where }))
}

/** A base chain is named after its hook, with a number if there are several. */
const hookOf = (name: string): string => name.replace(/\d+$/, '')

const isDormant = (flags: unknown): boolean =>
  flags === 'dormant' || listOf(flags).includes('dormant')

function contentsOf(
  objects: readonly unknown[],
  kind: 'table' | 'rule',
): readonly Readonly<Record<string, unknown>>[] {
  return objects.flatMap((object) => {
    const content = isContent(object) ? object[kind] : undefined
    return isContent(content) ? [content] : []
  })
}
