// Events → what is begun for them, in which order, and what is left out. With a clock and a runner
// of the test.
import t from 'tap'
import { FakeRunner } from '../../integration/fakes/fake-runner.js'
import { FakeClock } from '../../integration/fixtures/fake-clock.js'
import { door, other } from '../../integration/fixtures/specs.js'
import { validateSpec } from '../spec/validate.js'
import type { ActionFailedEvent, ActionOverrunEvent, KnockEvent } from '../view/event.js'
import { Actions } from './actions.js'

const RUN = ['/bin/true']
const time = '2026-11-21T10:00:00.000Z'

const granted = (source: string, at = 'ssh'): KnockEvent => ({
  ...{ time, event: 'granted', door: at, source, by: 'knock', expiresIn: 30 },
})
const expired = (source: string, at = 'ssh'): KnockEvent => ({
  ...{ time, event: 'expired', door: at, source },
})
const denied = (source: string): KnockEvent => ({ time, event: 'denied', door: 'ssh', source })

const validActions = (...actions: object[]) =>
  validateSpec({ doors: [door(), other()], actions }).actions

function start(...actions: object[]) {
  const [clock, runner] = [new FakeClock(), new FakeRunner()]
  const events: (ActionFailedEvent | ActionOverrunEvent)[] = []
  const acting = {
    table: 'knock',
    isOurs: () => true,
    report: (event: ActionFailedEvent | ActionOverrunEvent) => void events.push(event),
  }
  const own = new Actions({ clock, runner })
  own.use(validActions(...actions), acting)
  const named = (name: string) => events.filter(({ event }) => event === name)
  const lost = () =>
    events.reduce((sum, event) => sum + (event.event === 'action-overrun' ? event.lost : 0), 0)
  return { acting, clock, events, lost, named, own, runner }
}

t.test('an action is done at its events and doors alone', async (t) => {
  const { clock, own, runner } = start(
    { on: ['granted'], run: RUN },
    { on: ['granted', 'expired'], doors: ['web'], post: 'https://ntfy.example/doors' },
    { on: ['banned'], run: ['/bin/false', 'x'] },
  )
  own.take(granted('10.0.0.1'))
  own.take(expired('10.0.0.1', 'web'))
  own.take(denied('10.0.0.1'))
  own.take({ time, event: 'banned', source: '10.0.0.9' })
  own.take({ time, event: 'action-overrun', action: 0, lost: 1 })
  await clock.pass(0)
  const work = runner.begun.map(({ does, told }) => [does, told.variables['KNOCK_EVENT']])
  t.strictSame(work, [
    [{ run: RUN }, 'granted'],
    [{ post: 'https://ntfy.example/doors' }, 'expired'],
    [{ run: ['/bin/false', 'x'] }, 'banned'],
  ])
})

t.test('one door is acted on in order, several at the same time', async (t) => {
  const { clock, own, runner } = start({ on: ['granted', 'expired'], run: RUN })
  own.take(granted('10.0.0.1'))
  own.take(expired('10.0.0.2'))
  own.take(granted('10.0.0.3', 'web'))
  await clock.pass(0)
  t.strictSame(runner.sources, ['10.0.0.1', '10.0.0.3'])
  runner.begun[0]?.end()
  await clock.pass(0)
  t.strictSame(runner.sources, ['10.0.0.1', '10.0.0.3', '10.0.0.2'])
})

t.test('four at a time, of sources that are at no door', async (t) => {
  const { clock, own, runner } = start({ on: ['banned'], run: RUN })
  for (let host = 1; host <= 9; host += 1) {
    own.take({ time, event: 'banned', source: `10.0.0.${host}` })
  }
  await clock.pass(0)
  t.equal(runner.running.size, 4)
  runner.begun[0]?.end()
  await clock.pass(0)
  t.equal(runner.begun.length, 5)
})

t.test('a burst of ten thousand events leaves out all but the newest hundred', async (t) => {
  const { clock, events, lost, own, runner } = start({ on: ['granted'], run: RUN, timeout: '20s' })
  const sources = Array.from({ length: 10_000 }, (_, n) => `10.0.${n >> 8}.${n & 255}`)
  for (const source of sources) own.take(granted(source))
  t.equal(runner.running.size, 1)
  t.strictSame(events, [], 'what is left out is counted first')
  await clock.pass(1000)
  t.strictSame(events, [
    {
      time: '2026-11-21T10:00:01.000Z',
      event: 'action-overrun',
      action: 0,
      lost: 10_000 - 101,
    },
  ])
  while (runner.running.size > 0) {
    await clock.pass(10_000)
    for (const action of runner.running) action.end()
    await clock.pass(0)
  }
  t.strictSame(runner.sources, [sources[0], ...sources.slice(-100)])
  t.strictSame(own.counts, [{ action: 0, done: 101, failed: 0, lost: 9899 }])
  t.equal(lost(), 9899)
})

t.test('a flood of one kind leaves out its own', async (t) => {
  const { clock, own, runner } = start({ on: ['granted', 'expired', 'denied'], run: RUN })
  own.take(granted('10.0.0.1'))
  own.take(expired('10.0.0.1'))
  own.take(granted('10.0.0.2'))
  for (let n = 0; n < 1000; n += 1) own.take(denied(`10.1.${n >> 8}.${n & 255}`))
  own.take(expired('10.0.0.2'))
  while (runner.running.size > 0) {
    for (const action of runner.running) action.end()
    await clock.pass(1000)
  }
  const seen = runner.begun.map(({ told }) => told.variables['KNOCK_EVENT'])
  t.strictSame(
    seen.filter((name) => name !== 'denied'),
    [...['granted', 'expired', 'granted', 'expired']],
  )
  t.equal(seen.length, 101)
})

t.test('twenty at most are begun in a second, and no action waits for another', async (t) => {
  const { clock, own, runner } = start(
    { on: ['granted'], run: RUN },
    { on: ['granted'], doors: ['web'], run: ['/bin/false'] },
  )
  runner.isQuick = true
  for (let n = 0; n < 90; n += 1) own.take(granted(`10.0.0.${n}`))
  own.take(granted('10.0.1.1', 'web'))
  await clock.pass(0)
  t.ok(runner.begun.length <= 20, `${runner.begun.length} at once`)
  t.ok(runner.begun.some(({ does }) => 'run' in does && does.run[0] === '/bin/false'))
  await clock.pass(1000)
  t.ok(runner.begun.length <= 41, `${runner.begun.length} after a second`)
  await clock.pass(5000)
  t.equal(runner.begun.length, 92)
})

t.test('what takes too long is ended, and reported with its door', async (t) => {
  const { clock, events, own, runner } = start({ on: ['granted'], run: RUN, timeout: '3s' })
  own.take(granted('10.0.0.1'))
  await clock.pass(2999)
  t.equal(runner.running.size, 1)
  await clock.pass(1)
  t.equal(runner.running.size, 0)
  t.strictSame(events, [
    {
      ...{ time: '2026-11-21T10:00:03.000Z', event: 'action-failed', on: 'granted' },
      ...{ door: 'ssh', source: '10.0.0.1', reason: 'took longer than 3s, and was ended' },
      action: 0,
    },
  ])
  t.match(own.counts, [{ done: 0, failed: 1 }])
})

t.test('failures are reported once in a second, with the number of the others', async (t) => {
  const { clock, named, own, runner } = start({ on: ['banned'], run: RUN })
  for (let n = 1; n <= 4; n += 1) own.take({ time, event: 'banned', source: `10.0.0.${n}` })
  await clock.pass(0)
  for (const action of runner.running) action.end('exit code 1')
  await clock.pass(0)
  t.match(named('action-failed'), [{ source: '10.0.0.1', on: 'banned', more: undefined }])
  t.notOk('door' in (named('action-failed')[0] ?? {}))
  await clock.pass(1000)
  t.match(named('action-failed')[1], { source: '10.0.0.4', more: 2 })
  await clock.pass(10_000)
  t.equal(named('action-failed').length, 2)
  t.match(own.counts, [{ failed: 4 }])
})

t.test('who is not the one that acts does nothing', async (t) => {
  const { acting, clock, own, runner } = start({ on: ['granted'], run: RUN })
  own.use(validActions({ on: ['granted'], run: RUN }), { ...acting, isOurs: () => false })
  own.take(granted('10.0.0.1'))
  await clock.pass(1000)
  t.equal(runner.begun.length, 0)
})

t.test('other actions: what waits for those that stay goes on, the rest is left out', async (t) => {
  const first = { on: ['granted'], run: ['/bin/first'] }
  const second = { on: ['granted'], run: ['/bin/second'] }
  const { acting, clock, events, own, runner } = start(first, second)
  for (const source of ['10.0.0.1', '10.0.0.2', '10.0.0.3']) own.take(granted(source))
  await clock.pass(0)
  t.equal(runner.running.size, 2)
  own.use(validActions({ on: ['granted'], run: ['/bin/third'] }, second), acting)
  t.match(events, [{ event: 'action-overrun', action: 0, lost: 2 }])
  t.strictSame(
    own.counts.map(({ action }) => action),
    [0, 1],
  )
  own.take(granted('10.0.0.4'))
  while (runner.running.size > 0) {
    for (const action of runner.running) action.end()
    await clock.pass(1000)
  }
  const by = (program: string) =>
    runner.begun
      .filter(({ does }) => 'run' in does && does.run[0] === program)
      .map(({ told }) => told.variables['KNOCK_SOURCE'])
  t.strictSame(by('/bin/first'), ['10.0.0.1'])
  t.strictSame(by('/bin/second'), ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4'])
  t.strictSame(by('/bin/third'), ['10.0.0.4'])
})

t.test('the end waits five seconds for what waits and runs, and then ends it', async (t) => {
  const { clock, events, own, runner } = start({ on: ['granted'], run: RUN })
  for (const source of ['10.0.0.1', '10.0.0.2', '10.0.0.3']) own.take(granted(source))
  await clock.pass(0)
  const ended = own.end()
  own.take(granted('10.0.0.4'))
  runner.begun[0]?.end()
  await clock.pass(4999)
  t.strictSame(runner.sources, ['10.0.0.1', '10.0.0.2'], 'nothing new is taken')
  t.strictSame(events, [])
  t.ok(clock.isHeld)
  await clock.pass(1)
  await ended
  t.match(events, [
    { event: 'action-overrun', lost: 1 },
    { event: 'action-failed', reason: 'was ended, because the keeper ends' },
  ])
})

t.test('the end does not wait for what cannot be ended', async (t) => {
  const { clock, own, runner } = start({ on: ['granted'], run: RUN })
  runner.endsWhenAborted = false
  own.take(granted('10.0.0.1'))
  let isOver = false
  void own.end().then(() => {
    isOver = true
  })
  await clock.pass(7999)
  t.equal(isOver, false)
  await clock.pass(1)
  t.equal(isOver, true)
})

t.test('an end with nothing under way is at once', async (t) => {
  const { own } = start({ on: ['granted'], run: RUN })
  await own.end()
  t.match(own.counts, [{ done: 0, failed: 0, lost: 0 }])
})
