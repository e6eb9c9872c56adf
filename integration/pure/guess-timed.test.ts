// Sources that guess rates, rhythms and tokens, in the simulator → the chances in the threat model
// are right. No root needed.
import t from 'tap'
import {
  agrees,
  BAN,
  below,
  type Part,
  portsOf,
  random,
  SERVICE,
  Siege,
  sequence,
} from '../random/siege.js'

const rate = (hits: number, min: number, max: number): Part => {
  return { type: 'rate', port: `tcp/${SERVICE}`, hits, min, max }
}

t.test('a rate', async (t) => {
  const next = random(5)
  const [hits, min, max] = [2, 3, 5]
  const siege = new Siege(rate(hits, min, max))

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
    // If knock port and service are the same, packets of the last burst are also connections.
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
