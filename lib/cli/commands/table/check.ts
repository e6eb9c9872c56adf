// knocklib check: is the spec valid, and would nft take it?

import { closingNotes } from '../../../api/closing.js'
import {
  checkKnock,
  findWarnings,
  isNotPermitted,
  type KernelOptions,
  NftError,
  type ValidSpec,
} from '../../../index.js'
import { notesOf } from '../../../spec/notes.js'
import { type CommandDefinition, STRICT } from '../../command/command.js'
import { findExposure } from '../../command/exposed.js'
import { loadSpec } from '../../command/spec-file.js'

export const check: CommandDefinition = {
  usage: 'check <spec>',
  summary: 'validate a spec, and ask nft where it may',
  examples: ['knocklib check doors.json', 'knocklib check doors.yaml --json'],
  options: [STRICT],
  isRemote: true,
  async run([path], options, { kernel }) {
    const spec = await loadSpec(path as string, options)
    const exposure = await findExposure(path as string, spec)
    const strict = options['strict'] === true
    const warnings = await findWarnings(spec, { ...kernel, strict, warnings: exposure })
    const reason = await askNft(spec, path as string, kernel)
    const asked = reason === undefined ? { nft: 'accepted' } : { nft: 'not-asked', reason }
    const rest =
      reason === undefined ? 'nft takes it' : `nft and the kernel were not asked: ${reason}`
    const notes = [...notesOf(spec), ...(await closingNotes(spec, kernel))]
    const heard = notes.map(({ path, message }) => `${path}: ${message}\n`)
    return {
      json: { valid: true, ...asked, notes },
      warnings,
      text: `${path}: valid; ${rest}\n${heard.join('')}`,
    }
  },
}

/**
 * A spec can be checked on any machine: if nft is missing or may not be asked, the result says why,
 * and how to ask it.
 */
async function askNft(
  spec: ValidSpec,
  path: string,
  kernel: KernelOptions,
): Promise<string | undefined> {
  try {
    await checkKnock(spec, kernel)
    return undefined
  } catch (error) {
    const isMissing = error instanceof NftError && error.code === 'nft-missing'
    if (!isMissing && !isNotPermitted(error)) throw error
    const reason = error.message.replace(/^checkKnock: /, '')
    return isMissing ? reason : `${reason}; for the rest: sudo knocklib check ${path}`
  }
}
