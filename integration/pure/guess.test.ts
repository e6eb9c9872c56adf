// Sources that guess or scan sequences, in the simulator → the chances in the threat model are
// right. No root needed.
import t from 'tap'
import {
  agrees,
  BAN,
  below,
  FIRST,
  Guesser,
  type Part,
  portsOf,
  random,
  sequence,
} from '../random/guesser.js'

function shuffle(list: readonly number[], next: () => number): number[] {
  const left = [...list]
  return list.map(() => left.splice(below(left.length, next), 1)[0] as number)
}

/** Returns all ordered choices of `length` different items. */
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
 * Returns the shortest stream of packets in which each sequence occurs (de Bruijn), by always
 * taking the last port that makes a new sequence.
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

t.test('a sequence: 1 in P^n, and each packet ends a guess', async (t) => {
  const next = random(1)
  const [P, n] = [8, 2]
  const ports = portsOf(P)
  const guesser = new Guesser(sequence([7005, 7002]))
  const attempts = 6400
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    guesser.move()
    guesser.sendAll(Array.from({ length: n }, () => ports[below(P, next)] as number))
  }
  agrees(t, guesser.grants, attempts, 1 / P ** n, 'two packets from each source')

  guesser.renew()
  const packets = 12_800
  for (let packet = 0; packet < packets; packet += 1) guesser.send(FIRST + below(P, next), 1)
  agrees(t, guesser.grants, packets, 1 / P ** n, 'packets of one source without a pause')
})

t.test('a sequence: P^n + n - 1 packets open any', async (t) => {
  const ports = portsOf(4)
  const stream = everySequence(ports, 3)
  t.equal(stream.length, 4 ** 3 + 2)
  for (const steps of ordersOf(ports, 3)) {
    const guesser = new Guesser(sequence(steps))
    guesser.sendAll(stream)
    t.not(guesser.grants, 0, steps.join())
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
          const guesser = new Guesser(sequence(steps), guard)
          guesser.sendAll(stream)
          return guesser.grants > 0
        }).length
      t.equal(opened({}), orders.length, `${digits.length} packets, ${orders.length} orders`)
      t.equal(opened(BAN), withBan, 'and so many before a ban for three strikes')
    }
  },
)

t.test('a ban: three knocks out of order, then silence', async (t) => {
  const next = random(2)
  const P = 8
  const guesser = new Guesser(sequence([7005, 7002, 7007]), BAN)
  const tries = 1000
  let opened = 0
  for (let attempt = 0; attempt < tries; attempt += 1) {
    guesser.renew()
    guesser.move()
    while (guesser.bans === 0 && guesser.grants === 0) guesser.send(FIRST + below(P, next), 0.1)
    opened += guesser.grants
  }
  // Behind the first knock: the second and the third, before the third at once. All else is no
  // strike.
  agrees(t, opened, tries, 1 - (1 - 1 / P) ** 3, 'opened before the ban')

  const short = new Guesser(sequence([7005, 7002]), BAN)
  while (short.grants === 0) short.send(FIRST + below(P, next), 1)
  t.equal(short.bans, 0, 'two knocks have no order that is wrong')

  const lasting = new Guesser(sequence([7005, 7002, 7007], { reset: 'never' }), BAN)
  while (lasting.grants === 0) lasting.sendAll(shuffle(portsOf(P), next))
  t.equal(lasting.bans, 0, 'what nothing resets has no strikes')

  const easy = { name: 'web', service: 'tcp/80', knock: sequence([7001]), open: { for: 1 } }
  const beside = new Guesser(sequence([7005, 7002, 7007]), BAN, [easy])
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
    const guesser = new Guesser(sequence(steps.slice(0, length), { reset }))
    const sweeps = 1000
    for (let sweep = 0; sweep < sweeps; sweep += 1) guesser.sendAll(shuffle(portsOf(P), next), 0.1)
    agrees(t, guesser.grants, sweeps, chance, `reset ${reset}, ${length} steps`)
  }
  // A scan slower than stepTimeout; x is the share of all ports within one stepTimeout.
  const slow = { ports: portsOf(100), gap: 0.25, x: 19.5 / 100 }
  for (const reset of ['never', 'knock-ports']) {
    const guesser = new Guesser(sequence(steps, { reset, stepTimeout: 5 }))
    const sweeps = 800
    for (let sweep = 0; sweep < sweeps; sweep += 1) {
      guesser.sendAll(shuffle(slow.ports, next), slow.gap)
    }
    agrees(t, guesser.grants, sweeps, slow.x ** 2, `reset ${reset}, slowly`)
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
      const guesser = new Guesser(sequence(steps, { reset }))
      guesser.sendAll(portsOf(40), 0.01)
      return guesser.grants > 0
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
  const guesser = new Guesser({ type: 'sequence', oneTime })
  const tries = 3200
  let opened = 0
  for (let attempt = 0; attempt < tries; attempt += 1) {
    guesser.renew()
    guesser.sendAll(Array.from({ length: n }, () => FIRST + below(P, next)))
    opened += guesser.grants
  }
  agrees(t, opened, tries, lists.length / P ** n, 'two packets')

  guesser.renew()
  guesser.sendAll(everySequence(portsOf(P), n), 1)
  guesser.sendAll(everySequence(portsOf(P), n), 1)
  t.equal(guesser.grants, lists.length, 'all packets there are, twice')
})
