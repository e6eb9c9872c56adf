// A spec → its ruleset as nft's JSON or as text. Pure.
import { buildAutomaton } from '../automaton/build.js'
import type { NftDocument } from '../nft/document.js'
import { renderRuleset } from '../nft/render/render.js'
import { renderText } from '../nft/render/text.js'
import { renderKeepingText } from '../nft/render/text-keeping.js'
import { requireValid, type SpecInput } from '../spec/validate.js'

export interface TextOptions {
  /**
   * Whether loading the text over an existing table keeps its grants, bans, counters, tokens and
   * what has been used. Attempts start over. Default: false, the table is made anew.
   */
  readonly keep?: boolean | undefined
}

/**
 * Renders a spec as nft's JSON, which `nft -j -f` reads. Pure: the same spec gives the same bytes.
 *
 * @throws SpecError with every problem of the spec.
 */
export function renderKnock(spec: SpecInput): NftDocument {
  return renderRuleset(buildAutomaton(requireValid(spec, 'renderKnock')))
}

/**
 * Renders a spec as text that `nft -f` reads. It is a whole table: include it beside other tables,
 * not inside one. Pure.
 *
 * @throws SpecError with every problem of the spec.
 */
export function renderKnockText(spec: SpecInput, { keep = false }: TextOptions = {}): string {
  return keep ? renderKeepingText(renderKnock(spec)) : renderText(renderKnock(spec))
}
