// knockd's 7000, 8000, 9000 within 5 s, and the same backwards to close. Pure.
import type { Packet } from '../../../lib/simulate/packet.js'
import { packetsOfTrace, WORKED } from '../../traces/worked-traces.js'
import { asUdp, type Cast, cast, type Draft, IPV6, merge, repeated, syns } from './traces.js'

const PORT = 22
/** Seconds; longer than an attempt, with a margin because knockd counts whole seconds. */
export const PAUSE = 6.5
/** Seconds from the last knock to the connection, because knockd starts a program first. */
export const PATIENCE = 1.5

/** Appends a connection of each of some sources to knocks. */
function thenConnect(knocks: readonly Packet[], ...sources: readonly string[]): Packet[] {
  const end = Math.max(0, ...knocks.map(({ at }) => at)) + PATIENCE
  return merge(
    knocks,
    sources.flatMap((source, index) => syns(source, PORT, [end + index / 5], 40000)),
  )
}

const knocksOf = (letters: string, { block }: Cast): Packet[] =>
  packetsOfTrace(letters, 4, PAUSE, block)

/** Makes a trace from letters, from one source and perhaps another. Then the first one connects. */
const letters = (sent: string) => ({
  sent,
  packets: (cast: Cast) => thenConnect(knocksOf(sent, cast), cast.a),
})

const STRAY =
  'a packet to any other port ends the attempt; with `reset: never` knocklib does as the peer does'
const APART = 'packets of one source change no attempt of another'

/** The names of worked traces, by their letters. */
const WORKED_NAMES: Readonly<Record<string, Pick<Draft, 'name' | 'why'>>> = {
  'A B C': { name: 'the knock' },
  'A A B B C': { name: 'each knock twice', why: 'a duplicate changes nothing' },
  'A B A B C': { name: 'begun anew', why: 'the first knock starts over' },
  'A B A C': { name: 'begun anew, one left out' },
  'A X B C': { name: 'another port in between', why: STRAY },
  'A B . X C': { name: 'another port in between, later', why: STRAY },
  'A | B C': { name: 'too slow' },
  'B C': { name: 'without the first' },
  'C B A': { name: 'backwards' },
  "A B C'": { name: 'the last from another source' },
  'A B C"': { name: 'the last over IPv6' },
}

const worked = WORKED.filter(({ reset }) => reset === 'any').map(({ trace, opens }): Draft => {
  const words = WORKED_NAMES[trace]
  if (!words) throw new Error(`no name for the worked trace ${trace}`)
  return { ...words, ...letters(trace), ours: opens ? 'yes' : 'no' }
})

const KNOCKS = [7000, 8000, 9000]

export const SEQUENCE_TRACES = cast([
  ...worked,
  {
    name: 'the first knock waits',
    sent: 'A as one SYN, again 1 s later; B C',
    packets: ({ a }) =>
      thenConnect(merge(repeated(a, 7000, [0, 1]), syns(a, 8000, [1.4]), syns(a, 9000, [1.5])), a),
    ours: 'yes',
    why: 'a retransmitted SYN is no knock, and no wrong one',
  },
  {
    name: 'slow, each knock in time',
    ...letters('A . . . B . . . . C'),
    ours: 'no',
  },
  {
    name: 'two clients at once',
    sent: "A A' B B' C C', both connect",
    packets: (cast) => thenConnect(knocksOf("A A' B B' C C'", cast), cast.a, cast.b),
    ours: '1.6 s, 1.8 s',
    why: APART,
  },
  {
    name: 'another source fails',
    ...letters("A' A B C' C"),
    ours: 'yes',
    why: APART,
  },
  {
    name: 'a scan, port by port',
    sent: 'SYNs to each tenth port from 6990 to 9010',
    packets: ({ a }) => {
      const ports = Array.from({ length: 203 }, (_, index) => 6990 + 10 * index)
      return thenConnect(
        ports.flatMap((port, index) => syns(a, port, [index / 200])),
        a,
      )
    },
    ours: 'no',
    why: 'each port in between ends the attempt',
  },
  {
    name: 'over UDP',
    sent: 'A B C as datagrams',
    packets: ({ a }) =>
      thenConnect(asUdp(KNOCKS.flatMap((port, index) => syns(a, port, [index / 10]))), a),
    ours: 'no',
  },
  { name: 'opened and closed', ...letters('A B C . C B A'), ours: 'no' },
  {
    name: 'opened twice, closed once',
    ...letters('A B C . A B C . C B A'),
    ours: 'no',
    why:
      'a source has one grant, however often it knocked; the peer adds a rule with ' +
      'each knock and removes one',
  },
  {
    name: 'opened and closed in one go',
    ...letters('A B C B A'),
    ours: 'no',
    why: 'opening and closing are attempts of their own, and C ends the one and begins the other',
  },
  {
    name: 'another source after the knock',
    sent: 'A B C, another source connects',
    packets: (cast) => thenConnect(knocksOf('A B C', cast), cast.b),
    ours: 'no',
  },
  {
    name: 'IPv6, no knock',
    sent: 'one SYN over IPv6',
    packets: ({ a6 }) => syns(a6, PORT, [0], 40000),
    ours: 'no',
    why: IPV6,
  },
])
