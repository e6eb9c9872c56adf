// The documented traces, with their outcome; their letters → packets. Pure.
import type { Packet } from '../../lib/simulate/packet.js'

export interface Worked {
  /**
   * A, B and C are the knocks, X is another port; `.` is a second, `|` is longer than the step
   * timeout.
   */
  readonly trace: string
  readonly reset: 'any' | 'never'
  readonly opens: boolean
}

const any = (trace: string, opens: boolean): Worked => ({ trace, reset: 'any', opens })

export const WORKED: readonly Worked[] = [
  any('A B C', true),
  any('A A B B C', true),
  any('A B A B C', true),
  any('A B A C', false),
  any('A X B C', false),
  { trace: 'A X B C', reset: 'never', opens: true },
  any('A B . X C', false),
  any('A | B C', false),
  any('B C', false),
  any('C B A', false),
  any("A B C'", false),
  any('A B C"', false),
]

/** `'` after a letter: from another source; `"`: over the other family. */
const LETTER = /[ABCX]'?"?|[.|]/g
const PORTS: Readonly<Record<string, number>> = { A: 7000, B: 8000, C: 9000, X: 5000 }

export const workedSpec = (
  reset: string,
  times: { readonly stepTimeout: number; readonly open: number },
) => ({
  table: 'worked',
  doors: [
    {
      name: 'ssh',
      service: 'tcp/22',
      knock: {
        type: 'sequence',
        steps: ['tcp/7000', 'tcp/8000', 'tcp/9000'],
        stepTimeout: times.stepTimeout,
        reset,
      },
      open: { for: times.open },
    },
  ],
})

/**
 * Returns the packets of a trace. `pause` is the length of `|`; packets without one between them
 * follow each other at once.
 */
export function packetsOfTrace(
  trace: string,
  family: 4 | 6,
  pause: number,
  block: number,
): Packet[] {
  const packets: Packet[] = []
  let at = 0
  for (const [index, letter] of (trace.match(LETTER) ?? []).entries()) {
    if (letter === '.' || letter === '|') {
      at += letter === '.' ? 1 : pause
      continue
    }
    const own = letter.endsWith('"') ? (family === 4 ? 6 : 4) : family
    const host = letter.endsWith("'") ? 2 : 1
    const source = own === 4 ? `10.99.${block}.${host}` : `fd00:99::${block.toString(16)}:${host}`
    const port = PORTS[letter[0] as string] as number
    packets.push({ at: at + index / 64, source, protocol: 'tcp', port, sourcePort: 30000 + index })
  }
  return packets
}
