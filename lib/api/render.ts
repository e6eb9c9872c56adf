// A spec → its ruleset as nft's JSON or as text. Pure.
import { buildAutomaton } from '../automaton/build.js'
import type { NftDocument } from '../nft/document.js'
import { renderRuleset } from '../nft/render/render.js'
import { renderText } from '../nft/render/text.js'
import { renderKeepingText } from '../nft/render/text-keeping.js'
import { requireValid, type SpecInput } from '../spec/validate.js'

export interface TextOptions {
  /**
   * Whether a table that stands keeps grants, bans, counters, tokens and what has been used when
   * the text is loaded over it; knocks under way begin again. Default: false, the table is made
   * anew.
   */
  readonly keep?: boolean | undefined
}

/**
 * Renders a spec as nft's JSON: what `nft -j -f` reads. Pure, no root; the same spec gives the same
 * bytes.
 *
 * @throws SpecError with every problem of the spec.
 */
export function renderKnock(spec: SpecInput): NftDocument {
  return renderRuleset(buildAutomaton(requireValid(spec, 'renderKnock')))
}

/**
 * Renders a spec as text that `nft -f` reads: a whole table, to be included beside others and never
 * within one. Pure, no root.
 *
 * @throws SpecError with every problem of the spec.
 */
export function renderKnockText(spec: SpecInput, { keep = false }: TextOptions = {}): string {
  return keep ? renderKeepingText(renderKnock(spec)) : renderText(renderKnock(spec))
}
