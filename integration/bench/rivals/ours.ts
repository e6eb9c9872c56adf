// Tables of knocklib, as rivals of others.
import { createNft, installKnock, type KnockSpec } from 'knocklib'
import { CABLE, SERVER } from '../../machine/namespaces.js'
import type { Rival } from '../rounds.js'
import { specOf } from '../specs.js'
import type { Hook } from './tables.js'

export const installed = (spec: KnockSpec, binary?: string): Rival['install'] => {
  return async (server) => {
    await installKnock(spec, { nft: createNft({ netns: server, ...(binary && { binary }) }) })
    return undefined
  }
}

/** A number of doors at `input`, each with a service and three knocks. */
export const doorsOf = (count: number): Rival => ({
  name: 'knocklib',
  x: count,
  install: installed(specOf(count)),
})

/** What a spec for a hook has besides its doors. */
export const hookOf = (hook: Hook): Pick<KnockSpec, 'hook' | 'interfaces'> => ({
  hook,
  ...(hook === 'ingress' && { interfaces: [CABLE] }),
})

/** What a door at a hook has besides: at prerouting the addresses that are the host's own. */
export const addressAt = (hook: Hook): { address?: string[] } =>
  hook === 'prerouting' ? { address: [SERVER[4], SERVER[6]] } : {}

/** A host that answers on no TCP port without a knock. */
export const closedHost = (hook: Hook, log = true): Rival => ({
  name: `knocklib at ${hook}${log ? '' : ', log: false'}`,
  install: installed({
    ...hookOf(hook),
    ...(!log && { log: false }),
    doors: [
      {
        name: 'host',
        service: 'tcp',
        ...addressAt(hook),
        knock: { type: 'sequence', steps: ['tcp/7000', 'udp/8000', 'tcp/9000'] },
        open: { for: '30s' },
      },
    ],
  }),
})
