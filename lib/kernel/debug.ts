// A call to the kernel → a line on stderr with its time and no secret, if KNOCKLIB_DEBUG=nft.
import { constants } from 'node:os'
import { KnockError } from '../errors.js'
import type { NftDocument } from '../nft/document.js'
import { printableLine } from '../text/printable.js'

const isOn = (): boolean => process.env['KNOCKLIB_DEBUG'] === 'nft'

/**
 * Runs a call, and writes what it was, how it ended and how long it took: `knocklib nft: apply
 * table inet knock: 12 add rule, 1 add element grants_ssh_4 (1): done in 11.8 ms`.
 *
 * @param describe - called only if KNOCKLIB_DEBUG asks for the line.
 * @param outcome - the end in words, for a call whose result can be a failure.
 */
export async function debugged<T>(
  describe: () => string,
  run: () => Promise<T>,
  outcome: (result: T) => string = () => 'done',
): Promise<T> {
  if (!isOn()) return run()
  const begun = performance.now()
  const say = (what: string) => {
    const took = (performance.now() - begun).toFixed(1)
    process.stderr.write(`knocklib nft: ${printableLine(`${describe()}: ${what}`)} in ${took} ms\n`)
  }
  try {
    const result = await run()
    say(outcome(result))
    return result
  } catch (error) {
    say(`failed (${kindOf(error)})`)
    throw error
  }
}

/**
 * Returns an error's code, or the system's name for it. The line must not have the error's message:
 * that may quote what nft was given, and so a secret.
 */
function kindOf(error: unknown): string {
  if (error instanceof KnockError) return error.code
  const { code } = Object(error) as { code?: unknown }
  return typeof code === 'string' && code in constants.errno ? code : 'an error'
}

/**
 * Outlines the commands of a document in their order; equal ones are counted. Rules, addresses,
 * tokens and ports are left out, because a sequence of ports is a secret, too.
 */
export function outlineOf({ nftables }: NftDocument): string {
  const counts = new Map<string, number>()
  for (const command of nftables) {
    const [verb, target] = Object.entries(command)[0] as [string, object]
    const [kind, content] = Object.entries(target)[0] as [string, { name?: string; elem?: unknown }]
    const elements = Array.isArray(content.elem) ? ` (${content.elem.length})` : ''
    const what =
      kind === 'element' ? `${verb} element ${content.name}${elements}` : `${verb} ${kind}`
    counts.set(what, (counts.get(what) ?? 0) + 1)
  }
  return [...counts].map(([what, count]) => `${count} ${what}`).join(', ')
}
