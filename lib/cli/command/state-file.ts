// A saved state's file → the state to install with. Reads one file, and puts aside one that cannot
// be read.
import { lstat, rename } from 'node:fs/promises'
import { kindOf } from '../../automaton/kinds/kinds.js'
import {
  ArgumentError,
  KnockError,
  type KnockState,
  loadState,
  type ValidSpec,
} from '../../index.js'

/** The state, where there is one; why there is none, where it cannot be read. */
export interface ReadState {
  readonly state: KnockState | undefined
  readonly error?: string
  /** The file holds the state of another table, and is in use there: it stays as it is. */
  readonly isOthers?: boolean
}

/**
 * A state that cannot be read must not leave services without their doors: where nothing of the
 * spec works once, all that is lost with it are grants and bans, and the doors stand without them.
 * Where something does, it would work once more for who saw it used: then it is an error.
 */
export async function loadStateFor(spec: ValidSpec, path: string): Promise<ReadState> {
  try {
    return { state: await loadState(path, { table: spec.table }) }
  } catch (error) {
    if (!(error instanceof KnockError)) throw error
    if (worksOnce(spec)) {
      error.message += `\n  ${NOTHING_INSTALLED}`
      throw error
    }
    return {
      state: undefined,
      error: `grants and bans of before are not put back: ${error.message}`,
      isOthers: error.code === 'other-table',
    }
  }
}

const NOTHING_INSTALLED =
  'nothing was installed or changed: the spec has tokens or one-time sequences, ' +
  'and without the state those that were ' +
  'used would work once more; restore the file, or move it away to do without'

function worksOnce({ doors }: ValidSpec): boolean {
  return doors.some(({ knocks, close }) =>
    [...knocks, ...(close ? [close] : [])].some(
      (knock) => kindOf(knock).worksOnce?.(knock) ?? false,
    ),
  )
}

/**
 * Renames a state that cannot be read, so that it is not replaced by the next one; nothing that is
 * there is replaced.
 *
 * @returns its new name.
 * @throws ArgumentError if that fails.
 */
export async function setAside(path: string): Promise<string> {
  for (let number = 1; ; number += 1) {
    const name = `${path}.unreadable${number === 1 ? '' : `.${number}`}`
    if (await isThere(name)) continue
    try {
      await rename(path, name)
      return name
    } catch (cause) {
      const reason = `it cannot be set aside: ${(cause as Error).message}`
      throw new ArgumentError(`run: ${path}: ${reason}`, { cause })
    }
  }
}

const isThere = async (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  )
