// knocklib check: is the spec valid, and would nft take it?
import {
  checkKnock,
  findWarnings,
  isNotPermitted,
  type KnockSpec,
  NftError,
  renderKnock,
  validateSpec,
} from '../index.js'
import { notesOf } from '../spec/notes.js'
import { type CommandDefinition, STRICT } from './command.js'
import { loadSpec } from './spec-file.js'

export const check: CommandDefinition = {
  usage: 'check <spec>',
  summary: 'validate a spec, and ask nft where it may',
  examples: ['knocklib check doors.json', 'knocklib check doors.yaml --json'],
  options: [STRICT],
  async run([path], options) {
    const spec = await loadSpec(path as string, options)
    renderKnock(spec)
    const warnings = await findWarnings(spec, { strict: options['strict'] === true })
    const refusal = await askNft(spec)
    const nft = refusal === undefined ? 'accepted' : 'not-asked'
    const rest = refusal === undefined ? 'nft takes it' : `nft was not asked: ${refusal}`
    const notes = notesOf(validateSpec(spec))
    const told = notes.map(({ path, message }) => `${path}: ${message}\n`)
    return {
      json: { valid: true, nft, notes },
      warnings,
      text: `${path}: valid; ${rest}\n${told.join('')}`,
    }
  },
}

/** A spec can be checked on any machine: where nft is missing or may not be asked, the reason is the result. */
async function askNft(spec: KnockSpec): Promise<string | undefined> {
  try {
    await checkKnock(spec)
    return undefined
  } catch (error) {
    const isMissing = error instanceof NftError && error.code === 'nft-missing'
    if (isMissing || isNotPermitted(error)) return error.code
    throw error
  }
}
