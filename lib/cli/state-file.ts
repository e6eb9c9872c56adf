// A saved state's file → the state to install with. Reads one file.
import { KnockError, type KnockSpec, type KnockState, loadState, validateSpec } from '../index.js'

/**
 * A state that cannot be read must not leave services without their doors: where nothing of the spec works once, all
 * that is lost with it are grants and bans, and the doors stand without them. Where something does, it would work once
 * more for who saw it used: then it is an error.
 *
 * @param warn - is told what is lost, and why.
 */
export async function loadStateFor(
  spec: KnockSpec,
  path: string,
  warn: (message: string) => void,
): Promise<KnockState | undefined> {
  try {
    return await loadState(path)
  } catch (error) {
    if (!(error instanceof KnockError) || worksOnce(spec)) throw error
    warn(`grants and bans of before are not put back: ${error.message}`)
    return undefined
  }
}

function worksOnce(spec: KnockSpec): boolean {
  const { doors } = validateSpec(spec, 'loadState')
  return doors.some(({ knocks, close }) =>
    [...knocks, ...(close ? [close] : [])].some(
      (knock) => knock.type === 'token' || ('once' in knock && knock.once !== undefined),
    ),
  )
}
