// Actions → warnings about programs that cannot be run here. Reads modes.
import { access, constants, stat } from 'node:fs/promises'
import type { ValidAction } from '../spec/model/model.js'
import { quoted } from '../text/printable.js'
import type { Warning } from '../text/warning.js'

/** Warns of each program that is not there, or that this process may not run. */
export async function findMissingPrograms(actions: readonly ValidAction[]): Promise<Warning[]> {
  const warnings = actions.map(async ({ does, origin }) => {
    if (!('run' in does)) return []
    const [program] = does.run
    const reason = await whyNot(program)
    if (reason === undefined) return []
    const message = `${quoted(program)} cannot be run: ${reason}`
    return [{ id: 'action-program', path: `${origin}/run/0`, message }]
  })
  return (await Promise.all(warnings)).flat()
}

async function whyNot(program: string): Promise<string | undefined> {
  try {
    if (!(await stat(program)).isFile()) return 'it is no file'
    await access(program, constants.X_OK)
    return undefined
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code === 'ENOENT' ? 'there is no such file' : `not permitted (${code})`
  }
}
