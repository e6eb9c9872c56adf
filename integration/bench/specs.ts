// The specs of the benchmarks: one door, or a number of doors, each with its own ports.
import type { DoorSpec, KnockSpec } from 'knocklib'

export function specOf(doors: number): KnockSpec {
  return { doors: Array.from({ length: doors }, (_, index) => doorOf(index)) }
}

function doorOf(index: number): DoorSpec {
  const first = 3000 + 3 * index
  return {
    name: `door${index}`,
    service: `tcp/${1000 + index}`,
    knock: {
      type: 'sequence',
      steps: [`tcp/${first}`, `udp/${first + 1}`, `tcp/${first + 2}`],
      stepTimeout: '5s',
    },
    open: { for: '30s' },
  }
}
