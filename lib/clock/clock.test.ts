// The system's clock and the fake one of the tests → both keep the promises of `Clock`.
import t from 'tap'
import { FakeClock } from '../../integration/fixtures/fake-clock.js'
import { type Clock, isoDate, systemClock } from './clock.js'

const HOUR = 3_600_000
const clocks: Record<string, Clock> = { "the system's": systemClock, 'a fake one': new FakeClock() }

for (const [name, clock] of Object.entries(clocks)) {
  /** Lets the fake clock's time pass until the wait ends. */
  const ended = <T>(wait: Promise<T>) => (clock instanceof FakeClock ? clock.passUntil(wait) : wait)

  t.test(`${name}: a pause takes as long as it was asked to`, async (t) => {
    const [now, date] = [clock.now(), clock.date()]
    t.equal(await ended(clock.pause(20)), true)
    // Timers count whole milliseconds.
    t.ok(clock.now() - now >= 19)
    t.ok(clock.date() - date >= 19)
    t.equal(await ended(clock.pause(-1)), true, 'a negative pause ends at once')
  })

  t.test(`${name}: a pause ends when its signal is aborted`, async (t) => {
    const stop = new AbortController()
    const now = clock.now()
    const pauses = [clock.pause(HOUR, stop.signal), clock.pause(HOUR, stop.signal)]
    stop.abort()
    t.strictSame(await Promise.all(pauses), [false, false])
    t.equal(await clock.pause(HOUR, stop.signal), false, 'also if it was aborted before')
    t.ok(clock.now() - now < HOUR)
  })

  t.test(`${name}: a callback is called once, unless it is cancelled`, async (t) => {
    const called: string[] = []
    const callOff = clock.after(5, () => called.push('called off'))
    clock.after(10, () => called.push('called'))
    callOff()
    await ended(clock.pause(5))
    t.strictSame(called, [], 'not too early')
    await ended(clock.pause(20))
    callOff()
    t.strictSame(called, ['called'])
  })
}

t.test("the system's: a pause that is not held does not keep the process alive", async (t) => {
  /** Counts the timers that keep the process alive. */
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
  const before = timers()
  const stop = new AbortController()
  const free = systemClock.pause(HOUR, stop.signal, false)
  t.equal(timers(), before)
  const held = systemClock.pause(HOUR, stop.signal)
  t.equal(timers(), before + 1)
  stop.abort()
  t.strictSame(await Promise.all([free, held]), [false, false])
})

t.test('a date in the form of events', async (t) => {
  t.equal(isoDate({ date: () => 1000 }), '1970-01-01T00:00:01.000Z')
  t.ok(Math.abs(Date.parse(isoDate(systemClock)) - Date.now()) < 60_000)
})

t.test("a fake clock's time passes only when a test lets it", async (t) => {
  const clock = new FakeClock()
  const woken: [string, number][] = []
  const wait = async (name: string, ...pauses: number[]) => {
    for (const pause of pauses) {
      await clock.pause(pause)
      woken.push([name, clock.now()])
    }
  }
  const waits = [wait('late', 30), wait('twice', 10, 10), wait('same', 20)]
  await clock.pass(19)
  t.strictSame(woken, [['twice', 10]])
  await clock.pass(1)
  t.strictSame(woken.slice(1), [
    ['same', 20],
    ['twice', 20],
  ])
  await clock.passUntil(Promise.all(waits))
  t.equal(clock.now(), 30, 'no more time passes than needed')
  const date = clock.date()
  clock.putForward(HOUR)
  t.strictSame([clock.now(), clock.date() - date], [30, HOUR])
  await t.rejects(clock.passUntil(new Promise(() => {})), /not over after 60000 ms/)
  await t.rejects(clock.passUntil(Promise.reject(new Error('over'))), /over/)
})
