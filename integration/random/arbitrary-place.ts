// Random choices → where a table and its doors judge: hooks and interfaces. Pure.
import fc from 'fast-check'
import type { Hook } from '../../lib/spec/model/model.js'

/** The interfaces of a door. The generators of packets have `eth0`, `wg0` and `lo`. */
export const interfaces = fc.constantFrom<string[]>(['eth0'], ['wg0'], ['wg*', 'eth1'], ['eth*'])

export const place = (hooks: readonly Hook[]) =>
  fc.constantFrom(...hooks).chain((hook) =>
    fc.record(
      {
        hook: fc.constant(hook),
        interfaces: fc.constantFrom(
          ['eth0'],
          ['eth0', 'wg0'],
          ...(hook === 'ingress'
            ? []
            : [
                ['eth*', 'lo'],
                ['eth*', 'wg*'],
              ]),
        ),
      },
      { requiredKeys: ['hook', ...(hook === 'input' ? [] : (['interfaces'] as const))] },
    ),
  )
