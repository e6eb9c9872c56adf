// A source that guesses at one door, in the simulator → how often it succeeds; a comparison with
// the expected chance. Pure.
import type { Test } from 'tap'
import { buildAutomaton } from '../../lib/automaton/build.js'
import { Simulator } from '../../lib/simulate/simulate.js'
import { validateSpec } from '../../lib/spec/validate.js'

export type Part = Readonly<Record<string, unknown>>

export const SERVICE = 22

export const FIRST = 7000

export const BAN = { ban: { after: 3, within: '1h', for: '1d' } }

/** Returns this many of the ports from which a guesser chooses. */
export const portsOf = (count: number): number[] =>
  Array.from({ length: count }, (_, i) => FIRST + i)

export const sequence = (ports: readonly number[], parts: Part = {}): Part => ({
  type: 'sequence',
  steps: ports.map((port) => `tcp/${port}`),
  ...parts,
})

/**
 * A door before tcp/22, and an attacker. Each packet of the attacker is a SYN of a new connection.
 */
export class Guesser {
  readonly #automaton
  #simulator: Simulator
  #sent = 0
  #moves = 0
  #source = '10.0.0.1'
  at = 0

  constructor(knock: Part, guard: Part = {}, others: readonly Part[] = []) {
    const door = { name: 'ssh', service: `tcp/${SERVICE}`, knock, open: { for: 1 } }
    this.#automaton = buildAutomaton(validateSpec({ guard, doors: [door, ...others] }))
    this.#simulator = new Simulator(this.#automaton)
  }

  /** The number of grants so far. */
  get grants(): number {
    return this.#simulator.counter('grants_ssh')
  }

  get resets(): number {
    return this.#simulator.counter('resets_ssh')
  }

  get bans(): number {
    return this.#simulator.counter('bans')
  }

  /** Resets the door to its first state. */
  renew(): void {
    this.#simulator = new Simulator(this.#automaton)
  }

  /** Lets the attacker continue from another address, long afterwards. */
  move(): void {
    this.#moves += 1
    this.at += 1000
    this.#source = [10, this.#moves >> 16, (this.#moves >> 8) & 255, this.#moves & 255].join('.')
  }

  /** Sends a packet `gap` seconds after the one before. Returns whether it was let through. */
  send(port: number, gap: number): boolean {
    this.at += gap
    this.#sent += 1
    const sourcePort = 1024 + (this.#sent % 60_000)
    const source = this.#source
    const packet = { at: this.at, source, protocol: 'tcp', port, sourcePort } as const
    return this.#simulator.receive(packet) === 'accept'
  }

  sendAll(ports: readonly number[], gap = 0.5): void {
    for (const port of ports) this.send(port, gap)
  }
}

/** Makes a generator of numbers from 0 to 1 that depend only on the seed (mulberry32). */
export function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export const below = (limit: number, next: () => number): number => Math.floor(next() * limit)

/**
 * Tests that `hits` is within five standard deviations of the expected number. The seeds are fixed,
 * so a test that has passed once always passes.
 */
export function agrees(t: Test, hits: number, tries: number, chance: number, name: string): void {
  const expected = tries * chance
  const bound = 5 * Math.sqrt(expected * (1 - chance))
  const found = `${hits} of ${tries}, expected ${expected.toFixed(0)} ± ${bound.toFixed(0)}`
  t.ok(Math.abs(hits - expected) <= bound, `${name}: ${found}`)
}
