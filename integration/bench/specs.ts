// The specs of the benchmarks: one door, or a number of doors, each with its own ports. Also 10,000
// doors leave the ports from 50000 on alone.
import type { DoorSpec, KnockSpec } from 'knocklib'

/** To none of these goes a knock, and none is a service. */
export const UNRELATED = '50000-59999'

export const firstPort = (index: number): number => 11_000 + 3 * index
export const servicePort = (index: number): number => 1000 + index

export function specOf(doors: number): KnockSpec {
  return { doors: Array.from({ length: doors }, (_, index) => doorOf(index)) }
}

function doorOf(index: number): DoorSpec {
  const first = firstPort(index)
  return {
    name: `door${index}`,
    service: `tcp/${servicePort(index)}`,
    knock: {
      type: 'sequence',
      steps: [`tcp/${first}`, `udp/${first + 1}`, `tcp/${first + 2}`],
      stepTimeout: '5s',
    },
    open: { for: '30s' },
  }
}
