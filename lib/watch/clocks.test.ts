// When grants run out, as far as is known, and what the table says when it is asked.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { FakeClock } from '../../integration/fixtures/fake-clock.js'
import { Clocks } from './clocks.js'
import { SoonestFirst } from './soonest-first.js'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** A table of grants by source, and the clocks' questions. */
class Place {
  readonly clock = new FakeClock()
  /** When each grant ends. */
  readonly ends = new Map<string, number>()
  readonly expired: string[] = []
  found = 0
  listed = 0
  fails = false
  beforeAnswer = async () => {}
  readonly clocks = new Clocks({
    find: async ({ source }) => {
      this.found += 1
      await this.beforeAnswer()
      if (this.fails) throw new Error('no answer')
      const left = (this.ends.get(source) ?? 0) - this.clock.now()
      return left > 0 ? left : undefined
    },
    list: async () => {
      this.listed += 1
      return [...this.ends]
        .filter(([, due]) => due > this.clock.now())
        .map(([source, due]) => ({ door: 'ssh', source, due }))
    },
    expired: ({ source }) => this.expired.push(source),
    clock: this.clock,
  })

  grant(source: string, milliseconds: number): void {
    const due = this.clock.now() + milliseconds
    this.ends.set(source, due)
    this.clocks.set({ door: 'ssh', source, due })
  }

  /** Who has run out after so many milliseconds more. */
  async ranOut(milliseconds: number): Promise<readonly string[]> {
    await this.clock.pass(milliseconds)
    return this.expired
  }
}

t.test('each grant is reported when it is over, in order', async (t) => {
  const place = new Place()
  place.grant('b', 400)
  place.grant('a', 100)
  await place.clock.pass(119)
  t.equal(place.found, 0, 'the kernel may be a tick behind')
  t.same(await place.ranOut(1), ['a'])
  t.same(await place.ranOut(279), ['a'])
  t.same(await place.ranOut(100), ['a', 'b'])
  t.equal(place.found, 2)
})

t.test('a grant whose renewal was not reported is waited for', async (t) => {
  const place = new Place()
  place.grant('a', 100)
  place.ends.set('a', 600)
  t.same(await place.ranOut(599), [], 'not before its time')
  t.same(await place.ranOut(100), ['a'])
  t.equal(place.found, 2)
})

t.test('a grant whose renewal or close was reported is not asked for', async (t) => {
  const place = new Place()
  place.grant('a', 100)
  place.grant('b', 100)
  place.grant('a', 700)
  place.clocks.remove({ door: 'ssh', source: 'b' })
  t.same(await place.ranOut(699), [])
  t.equal(place.found, 0)
  t.same(await place.ranOut(100), ['a'])
})

t.test('a grant that is renewed again and again takes no memory, and ends once', async (t) => {
  const place = new Place()
  const renew = (due: number) => {
    const grant = { door: 'ssh', source: 'a', due }
    place.clocks.set(grant)
    return new WeakRef(grant)
  }
  const far = place.clock.now() + 1e6
  const known = Array.from({ length: 1000 }, (_, n) => renew(far - n))
  place.grant('a', 400)
  await place.clock.pass(10)
  collect()
  const kept = known.filter((grant) => grant.deref() !== undefined).length
  t.ok(kept < 100, `${kept} are kept`)
  t.same(await place.ranOut(500), ['a'])
  t.same(await place.ranOut(2e6), ['a'])
  t.equal(place.found, 1)
})

t.test('grants that end at the same time are asked for together', async (t) => {
  const place = new Place()
  for (let n = 0; n < 100; n += 1) place.grant(`s${n}`, 200)
  place.ends.set('s7', 1500)
  t.equal((await place.ranOut(1499)).length, 99)
  t.equal(place.found, 0)
  t.equal(place.listed, 1)
  t.equal((await place.ranOut(100)).at(-1), 's7')
  t.equal(place.found, 1)
})

t.test(
  'a listing corrects the known ends, and grants that ended before it are reported',
  async (t) => {
    const place = new Place()
    place.grant('over', -100)
    place.grant('gone', 100)
    place.grant('longer', 100)
    place.ends.set('longer', 400)
    place.clocks.correct(
      [...place.ends].map(([source, due]) => ({ door: 'ssh', source, due })).slice(2),
    )
    place.ends.delete('gone')
    t.same(await place.ranOut(399), ['over', 'gone'])
    t.equal(place.found, 2)
    t.same(await place.ranOut(100), ['over', 'gone', 'longer'])
  },
)

t.test('grants of a table that is gone are not reported', async (t) => {
  const place = new Place()
  place.grant('a', 50)
  place.clocks.clear()
  await place.clock.pass(200)
  t.same([place.found, place.expired], [0, []])
})

t.test('a kernel that gives no answer is asked again, but not after the end', async (t) => {
  const place = new Place()
  place.fails = true
  place.grant('a', 50)
  t.same(await place.ranOut(100), [])
  t.equal(place.found, 1)
  place.fails = false
  t.same(await place.ranOut(900), [], 'a second later')
  t.same(await place.ranOut(100), ['a'])
  const ended = new Place()
  ended.grant('a', 50)
  ended.clocks.end()
  await ended.clock.pass(200)
  t.equal(ended.found, 0)
  const asking = new Place()
  asking.grant('a', 50)
  asking.beforeAnswer = async () => asking.clocks.end()
  t.same(await asking.ranOut(200), [], 'nor reports what is answered then')
  t.equal(asking.found, 1)
})

t.test('a grant that is renewed while the kernel is asked does not end', async (t) => {
  const place = new Place()
  place.grant('a', 50)
  place.beforeAnswer = async () => {
    place.beforeAnswer = async () => {}
    place.clocks.set({ door: 'ssh', source: 'a', due: place.clock.now() + 1000 })
  }
  t.same(await place.ranOut(200), [], 'the answer is older than the renewal')
  t.equal(place.found, 1)
  t.same(await place.ranOut(1500), ['a'])
})

t.test('the entry with the earliest time is taken first', async (t) => {
  const order = new SoonestFirst<number>((time) => time)
  t.equal(order.first, undefined)
  order.take()
  const times = Array.from({ length: 500 }, (_, n) => (n * 7919) % 1009)
  for (const time of times) order.add(time)
  const taken: number[] = []
  for (let first = order.first; first !== undefined; first = order.first) {
    taken.push(first)
    order.take()
  }
  t.same(
    taken,
    times.toSorted((a, b) => a - b),
  )
  order.add(1)
  order.clear()
  t.equal(order.first, undefined)
})
