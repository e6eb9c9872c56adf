// A saved state's file → the state to install with. Reads one file; renames one that cannot be
// read.
import { lstat, rename } from 'node:fs/promises'
import { kindOf } from '../../automaton/kinds/kinds.js'
import {
  ArgumentError,
  KnockError,
  type KnockState,
  loadState,
  type ValidSpec,
} from '../../index.js'

/** The state, undefined if there is none; and the reason if it cannot be read. */
export interface ReadState {
  readonly state: KnockState | undefined
  readonly error?: string
  /** The file holds the state of another table and is in use there: it must stay as it is. */
  readonly isOthers?: boolean
}

/**
 * Reads the state for a spec. If it cannot be read, services must not be left without their doors.
 * If no knock of the spec works only once, only grants and bans are lost: returns the error and no
 * state. Otherwise somebody who saw a used knock could use it again: then it throws.
 *
 * @throws StateError and ArgumentError as `loadState`, if a knock of the spec works only once.
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
  'and without the state used ones would work again; ' +
  'restore the file, or move it away to install without it'

function worksOnce({ doors }: ValidSpec): boolean {
  return doors.some(({ knocks }) =>
    knocks.some((knock) => kindOf(knock).worksOnce?.(knock) ?? false),
  )
}

/**
 * Renames a state that cannot be read, so that the next save does not replace it. Never replaces
 * another file.
 *
 * @returns the new name.
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
