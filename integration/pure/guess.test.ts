// Guessers, scanners and spoofers in the simulator → docs/understand/threat-model.md's chances are
// those that are counted. No root needed.
import t, { type Test } from 'tap'
import { buildAutomaton } from '../../lib/automaton/build.js'
import { Simulator } from '../../lib/simulate/simulate.js'
import { validateSpec } from '../../lib/spec/validate.js'

type Part = Readonly<Record<string, unknown>>

const SERVICE = 22
const FIRST = 7000
const BAN = { ban: { after: 3, within: '1h', for: '1d' } }

/** The ports that a guesser has to choose from, or some of them. */
const portsOf = (count: number): number[] => Array.from({ length: count }, (_, i) => FIRST + i)

const sequence = (ports: readonly number[], parts: Part = {}): Part => ({
  type: 'sequence',
  steps: ports.map((port) => `tcp/${port}`),
  ...parts,
})

/**
 * A door before tcp/22, and who tries to get in: every packet is a SYN of a connection of its own.
 */
class Siege {
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

  /** How often the door was opened. */
  get grants(): number {
    return this.#simulator.counter('grants_ssh')
  }

  get resets(): number {
    return this.#simulator.counter('resets_ssh')
  }

  get bans(): number {
    return this.#simulator.counter('bans')
  }

  /** The same door as it was at first. */
  renew(): void {
    this.#simulator = new Simulator(this.#automaton)
  }

  /** Another address, long after the one before. */
  move(): void {
    this.#moves += 1
    this.at += 1000
    this.#source = [10, this.#moves >> 16, (this.#moves >> 8) & 255, this.#moves & 255].join('.')
  }

  /** Sends one packet some seconds after the one before; returns whether it was let through. */
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

/** Numbers from 0 to 1, the same each time (mulberry32). */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const below = (limit: number, next: () => number): number => Math.floor(next() * limit)

function shuffle(list: readonly number[], next: () => number): number[] {
  const left = [...list]
  return list.map(() => left.splice(below(left.length, next), 1)[0] as number)
}

/** Every choice of so many of these, in every order. */
const ordersOf = (list: readonly number[], length: number): number[][] =>
  length === 0
    ? [[]]
    : list.flatMap((first) =>
        ordersOf(
          list.filter((other) => other !== first),
          length - 1,
        ).map((rest) => [first, ...rest]),
      )

/**
 * The shortest stream of packets in which each sequence occurs (de Bruijn's): always the last port
 * that makes a new one.
 */
function everySequence(ports: readonly number[], length: number): number[] {
  const stream = new Array<number>(length).fill(ports[0] as number)
  const seen = new Set([stream.join()])
  for (;;) {
    const start = stream.slice(stream.length - length + 1)
    const port = ports.findLast((port) => !seen.has([...start, port].join()))
    if (port === undefined) return stream
    seen.add([...start, port].join())
    stream.push(port)
  }
}

/**
 * Within five standard deviations. The seeds are fixed, so that what has passed once always does.
 */
function agrees(t: Test, hits: number, tries: number, chance: number, name: string): void {
  const expected = tries * chance
  const bound = 5 * Math.sqrt(expected * (1 - chance))
  const found = `${hits} of ${tries}, expected ${expected.toFixed(0)} ± ${bound.toFixed(0)}`
  t.ok(Math.abs(hits - expected) <= bound, `${name}: ${found}`)
}

t.test('a sequence: 1 in P^n, and each packet ends a guess', async (t) => {
  const next = random(1)
  const [P, n] = [8, 2]
  const ports = portsOf(P)
  const siege = new Siege(sequence([7005, 7002]))
  const attempts = 6400
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    siege.move()
    siege.sendAll(Array.from({ length: n }, () => ports[below(P, next)] as number))
  }
  agrees(t, siege.grants, attempts, 1 / P ** n, 'two packets from each source')

  siege.renew()
  const packets = 12_800
  for (let packet = 0; packet < packets; packet += 1) siege.send(FIRST + below(P, next), 1)
  agrees(t, siege.grants, packets, 1 / P ** n, 'packets of one source without a pause')
})

t.test('a sequence: P^n + n - 1 packets open any', async (t) => {
  const ports = portsOf(4)
  const stream = everySequence(ports, 3)
  t.equal(stream.length, 4 ** 3 + 2)
  for (const steps of ordersOf(ports, 3)) {
    const siege = new Siege(sequence(steps))
    siege.sendAll(stream)
    t.not(siege.grants, 0, steps.join())
  }
})

t.test(
  'a sequence whose ports are known: 9 packets open any of three, 33 any of four',
  async (t) => {
    // The shortest strings in which every order of their digits occurs.
    for (const [digits, withBan] of [
      ['123121321', 6],
      ['123412314231243121342132413214321', 10],
    ] as const) {
      const stream = [...digits].map((digit) => FIRST + Number(digit))
      const orders = ordersOf([...new Set(stream)], Math.max(...[...digits].map(Number)))
      const opened = (guard: Part) =>
        orders.filter((steps) => {
          const siege = new Siege(sequence(steps), guard)
          siege.sendAll(stream)
          return siege.grants > 0
        }).length
      t.equal(opened({}), orders.length, `${digits.length} packets, ${orders.length} orders`)
      t.equal(opened(BAN), withBan, 'and so many before a ban for three strikes')
    }
  },
)

t.test('a ban: three knocks out of order, then silence', async (t) => {
  const next = random(2)
  const P = 8
  const siege = new Siege(sequence([7005, 7002, 7007]), BAN)
  const tries = 1000
  let opened = 0
  for (let attempt = 0; attempt < tries; attempt += 1) {
    siege.renew()
    siege.move()
    while (siege.bans === 0 && siege.grants === 0) siege.send(FIRST + below(P, next), 0.1)
    opened += siege.grants
  }
  // Behind the first knock: the second and the third, before the third at once. All else is no
  // strike.
  agrees(t, opened, tries, 1 - (1 - 1 / P) ** 3, 'opened before the ban')

  const short = new Siege(sequence([7005, 7002]), BAN)
  while (short.grants === 0) short.send(FIRST + below(P, next), 1)
  t.equal(short.bans, 0, 'two knocks have no order that is wrong')

  const lasting = new Siege(sequence([7005, 7002, 7007], { reset: 'never' }), BAN)
  while (lasting.grants === 0) lasting.sendAll(shuffle(portsOf(P), next))
  t.equal(lasting.bans, 0, 'what nothing resets has no strikes')

  const easy = { name: 'web', service: 'tcp/80', knock: sequence([7001]), open: { for: 1 } }
  const beside = new Siege(sequence([7005, 7002, 7007]), BAN, [easy])
  beside.sendAll(Array.from({ length: 20 }, () => [7005, 7007, 7001]).flat())
  t.equal(beside.resets, 20)
  t.equal(beside.bans, 0, 'who knocks right at one door may guess at the others')
})

t.test('sweeps over all ports, each in a new order', async (t) => {
  const next = random(3)
  const P = 20
  const steps = [7003, 7017, 7011]
  for (const [reset, length, chance] of [
    ['never', 2, 3 / 4],
    ['never', 3, 5 / 12],
    ['knock-ports', 3, 0.3],
    ['any', 2, 1 / P],
  ] as const) {
    const siege = new Siege(sequence(steps.slice(0, length), { reset }))
    const sweeps = 1000
    for (let sweep = 0; sweep < sweeps; sweep += 1) siege.sendAll(shuffle(portsOf(P), next), 0.1)
    agrees(t, siege.grants, sweeps, chance, `reset ${reset}, ${length} steps`)
  }
  // Slower than stepTimeout: x is the part of all ports that fits into it.
  const slow = { ports: portsOf(100), gap: 0.25, x: 19.5 / 100 }
  for (const reset of ['never', 'knock-ports']) {
    const siege = new Siege(sequence(steps, { reset, stepTimeout: 5 }))
    const sweeps = 800
    for (let sweep = 0; sweep < sweeps; sweep += 1) {
      siege.sendAll(shuffle(slow.ports, next), slow.gap)
    }
    agrees(t, siege.grants, sweeps, slow.x ** 2, `reset ${reset}, slowly`)
  }
})

t.test('an ascending scan', async (t) => {
  for (const [steps, opening] of [
    [[7004], ['any', 'knock-ports', 'never']],
    [
      [7003, 7004, 7005],
      ['any', 'knock-ports', 'never'],
    ],
    [
      [7003, 7010, 7020],
      ['knock-ports', 'never'],
    ],
    [[7020, 7010, 7003], []],
  ] as const) {
    const opens = ['any', 'knock-ports', 'never'].filter((reset) => {
      const siege = new Siege(sequence(steps, { reset }))
      siege.sendAll(portsOf(40), 0.01)
      return siege.grants > 0
    })
    t.strictSame(opens, opening, steps.join())
  }
})

t.test('one-time sequences: m in P^n, each once', async (t) => {
  const next = random(4)
  const [P, n] = [8, 2]
  const lists = [
    [7005, 7002],
    [7001, 7002],
    [7004, 7007],
    [7000, 7006],
  ]
  const oneTime = lists.map((list) => list.map((port) => `tcp/${port}`))
  const siege = new Siege({ type: 'sequence', oneTime })
  const tries = 3200
  let opened = 0
  for (let attempt = 0; attempt < tries; attempt += 1) {
    siege.renew()
    siege.sendAll(Array.from({ length: n }, () => FIRST + below(P, next)))
    opened += siege.grants
  }
  agrees(t, opened, tries, lists.length / P ** n, 'two packets')

  siege.renew()
  siege.sendAll(everySequence(portsOf(P), n), 1)
  siege.sendAll(everySequence(portsOf(P), n), 1)
  t.equal(siege.grants, lists.length, 'all packets there are, twice')
})

const rate = (hits: number, min: number, max: number): Part => {
  return { type: 'rate', port: `tcp/${SERVICE}`, hits, min, max }
}

t.test('a rate', async (t) => {
  const next = random(5)
  const [hits, min, max] = [2, 3, 5]
  const siege = new Siege(rate(hits, min, max))

  // So many of Poisson's packets, or fewer, within a time.
  const atMost = (most: number, mean: number): number => {
    let term = Math.exp(-mean)
    let sum = term
    for (let number = 1; number <= most; number += 1) {
      term *= mean / number
      sum += term
    }
    return sum
  }
  for (const perSecond of [0.3, 0.5, 1]) {
    let opened = 0
    const tries = 2000
    for (let attempt = 0; attempt < tries; attempt += 1) {
      siege.move()
      siege.send(SERVICE, 0)
      const answers = Array.from({ length: hits }, () =>
        siege.send(SERVICE, -Math.log(1 - next()) / perSecond),
      )
      if (answers.at(-1)) opened += 1
    }
    const chance = atMost(hits - 1, perSecond * min) - atMost(hits - 1, perSecond * max)
    agrees(t, opened, tries, chance, `${perSecond} packets a second at random`)
  }

  const intervals = Array.from({ length: 60 }, (_, index) => (index + 0.5) / 10)
  const opening = intervals.filter((interval) => {
    siege.renew()
    siege.move()
    return Array.from({ length: 20 }, () => siege.send(SERVICE, interval)).includes(true)
  })
  const expected = intervals.filter((d) => min / hits <= d && d < max / hits)
  t.strictSame(opening, expected, 'a client that tries again each so many seconds')
})

t.test('a rate: a client that grows impatient gets in, without one strike', async (t) => {
  for (const [hits, min, max] of [
    [1, 10, 15],
    [2, 3, 5],
    [3, 5, 6],
    [8, 20, 25],
    [20, 0, 3],
  ] as const) {
    const siege = new Siege(rate(hits, min, max), { ban: { ...BAN.ban, after: 1 } })
    let isIn = false
    for (let interval = 30; interval > 0.1 && !isIn; interval /= 1.19) {
      for (let packet = 0; packet < 42 && !isIn; packet += 1) isIn = siege.send(SERVICE, interval)
    }
    t.ok(isIn, `${hits} hits, ${min} to ${max} s`)
    t.equal(siege.resets, 0)
  }
})

t.test('a rhythm: all counts but the last are guessed', async (t) => {
  const next = random(6)
  const [most, window] = [3, 2]
  for (const port of [SERVICE, 7000]) {
    const counts = [2, 1, 3]
    const siege = new Siege({ type: 'rhythm', port: `tcp/${port}`, counts, window })
    const tries = 1000
    for (let attempt = 0; attempt < tries; attempt += 1) {
      siege.move()
      const start = siege.at + 1
      const wait = (burst: number) => start + burst * window - siege.at
      for (const burst of [0, 1]) {
        const packets = 1 + below(most, next)
        for (let packet = 0; packet < packets; packet += 1) {
          siege.send(port, packet === 0 ? wait(burst) : 0.02)
        }
      }
      for (let packet = 0; packet < 9; packet += 1) {
        siege.send(port, packet === 0 ? wait(2) : 0.02)
        siege.send(SERVICE, 0.02)
      }
    }
    // Where knock and service are one port, the packets of the last burst are both.
    agrees(t, siege.grants, tries, 1 / most ** 2, port === SERVICE ? 'one port' : 'two ports')
  }
})

t.test(
  'a spoofer who knows two knock ports gets the victim banned, and others do not',
  async (t) => {
    const steps = [7003, 7017, 7011]
    for (const reset of ['any', 'knock-ports']) {
      const siege = new Siege(sequence(steps, { reset }), BAN)
      for (const bans of [0, 0, 1]) {
        siege.sendAll([7003, 7011])
        t.equal(siege.bans, bans, `${reset}: the first knock, and one out of order`)
      }
    }
    const siege = new Siege(sequence(steps), { ban: { ...BAN.ban, after: 1 } })
    for (const resets of [1, 2, 3]) {
      siege.sendAll(portsOf(20))
      t.match(siege, { resets, bans: 0 }, 'a sweep ends an attempt')
    }
    siege.sendAll(steps.flatMap((port) => [port, 4711]))
    t.match(siege, { resets: 4, bans: 0, grants: 0 }, 'so does a packet between two right knocks')
    siege.sendAll(steps)
    t.equal(siege.grants, 1)
    for (const [reset, grants] of [
      ['any', 0],
      ['knock-ports', 1],
      ['never', 1],
    ] as const) {
      const siege = new Siege(sequence([7003, 7017, 7011], { reset }))
      siege.sendAll([7003, 7017, 4711, 7011])
      t.equal(siege.grants, grants, reset)
    }
  },
)
