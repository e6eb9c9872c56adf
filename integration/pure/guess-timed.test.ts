// Sources that guess rates, rhythms and tokens, in the simulator → the chances in the threat model
// are right. No root needed.
import t from 'tap'
import {
  agrees,
  BAN,
  below,
  Guesser,
  type Part,
  portsOf,
  random,
  SERVICE,
  sequence,
} from '../random/guesser.js'

const rate = (hits: number, min: number, max: number): Part => {
  return { type: 'rate', port: `tcp/${SERVICE}`, hits, min, max }
}

t.test('a rate', async (t) => {
  const next = random(5)
  const [hits, min, max] = [2, 3, 5]
  const guesser = new Guesser(rate(hits, min, max))

  // The probability of at most `most` packets by Poisson's distribution.
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
      guesser.move()
      guesser.send(SERVICE, 0)
      const answers = Array.from({ length: hits }, () =>
        guesser.send(SERVICE, -Math.log(1 - next()) / perSecond),
      )
      if (answers.at(-1)) opened += 1
    }
    const chance = atMost(hits - 1, perSecond * min) - atMost(hits - 1, perSecond * max)
    agrees(t, opened, tries, chance, `${perSecond} packets a second at random`)
  }

  const intervals = Array.from({ length: 60 }, (_, index) => (index + 0.5) / 10)
  const opening = intervals.filter((interval) => {
    guesser.renew()
    guesser.move()
    return Array.from({ length: 20 }, () => guesser.send(SERVICE, interval)).includes(true)
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
    const guesser = new Guesser(rate(hits, min, max), { ban: { ...BAN.ban, after: 1 } })
    let isIn = false
    for (let interval = 30; interval > 0.1 && !isIn; interval /= 1.19) {
      for (let packet = 0; packet < 42 && !isIn; packet += 1) isIn = guesser.send(SERVICE, interval)
    }
    t.ok(isIn, `${hits} hits, ${min} to ${max} s`)
    t.equal(guesser.resets, 0)
  }
})

t.test('a rhythm: all counts but the last are guessed', async (t) => {
  const next = random(6)
  const [most, window] = [3, 2]
  for (const port of [SERVICE, 7000]) {
    const counts = [2, 1, 3]
    const guesser = new Guesser({ type: 'rhythm', port: `tcp/${port}`, counts, window })
    const tries = 1000
    for (let attempt = 0; attempt < tries; attempt += 1) {
      guesser.move()
      const start = guesser.at + 1
      const wait = (burst: number) => start + burst * window - guesser.at
      for (const burst of [0, 1]) {
        const packets = 1 + below(most, next)
        for (let packet = 0; packet < packets; packet += 1) {
          guesser.send(port, packet === 0 ? wait(burst) : 0.02)
        }
      }
      for (let packet = 0; packet < 9; packet += 1) {
        guesser.send(port, packet === 0 ? wait(2) : 0.02)
        guesser.send(SERVICE, 0.02)
      }
    }
    // If knock port and service are the same, packets of the last burst are also connections.
    agrees(t, guesser.grants, tries, 1 / most ** 2, port === SERVICE ? 'one port' : 'two ports')
  }
})

t.test(
  'a spoofer who knows two knock ports gets the victim banned, and others do not',
  async (t) => {
    const steps = [7003, 7017, 7011]
    for (const reset of ['any', 'knock-ports']) {
      const guesser = new Guesser(sequence(steps, { reset }), BAN)
      for (const bans of [0, 0, 1]) {
        guesser.sendAll([7003, 7011])
        t.equal(guesser.bans, bans, `${reset}: the first knock, and one out of order`)
      }
    }
    const guesser = new Guesser(sequence(steps), { ban: { ...BAN.ban, after: 1 } })
    for (const resets of [1, 2, 3]) {
      guesser.sendAll(portsOf(20))
      t.match(guesser, { resets, bans: 0 }, 'a sweep ends an attempt')
    }
    guesser.sendAll(steps.flatMap((port) => [port, 4711]))
    t.match(guesser, { resets: 4, bans: 0, grants: 0 }, 'so does a packet between two right knocks')
    guesser.sendAll(steps)
    t.equal(guesser.grants, 1)
    for (const [reset, grants] of [
      ['any', 0],
      ['knock-ports', 1],
      ['never', 1],
    ] as const) {
      const guesser = new Guesser(sequence([7003, 7017, 7011], { reset }))
      guesser.sendAll([7003, 7017, 4711, 7011])
      t.equal(guesser.grants, grants, reset)
    }
  },
)
