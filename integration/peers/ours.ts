// A spec → knocklib's table at a server, as a peer.
import { buildAutomaton } from '../../lib/automaton/build.js'
import { renderRuleset } from '../../lib/nft/render/render.js'
import { validateSpec } from '../../lib/spec/validate.js'
import { apply } from '../machine/namespaces.js'
import type { Peer } from './peer.js'

export const tableOf = (spec: object): Peer => ({
  async install(server) {
    await apply(server, renderRuleset(buildAutomaton(validateSpec(spec))))
    return undefined
  },
})
