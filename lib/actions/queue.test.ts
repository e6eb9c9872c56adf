// The events of one action → which are left out, and what ends one that is under way.
import t from 'tap'
import { FakeRunner } from '../../integration/fakes/fake-runner.js'
import { FakeClock } from '../../integration/fixtures/fake-clock.js'
import { ActionQueue, MOST_WAITING } from './queue.js'
import type { ActedEvent } from './told.js'

const denied = (door: string, source: string): ActedEvent => ({
  ...{ time: '2026-11-21T10:00:00.000Z', event: 'denied', door, source },
})

function start() {
  const [clock, runner] = [new FakeClock(), new FakeRunner()]
  const queue = new ActionQueue(
    { origin: '/actions/0', on: ['denied'], does: { run: ['/bin/true'] }, timeout: 3 },
    0,
    { table: 'knock', clock, runner, report: () => {} },
  )
  return { clock, queue, runner }
}

t.test('a flood at one door leaves out nothing of another', async (t) => {
  const { queue, runner } = start()
  queue.add(denied('web', '10.0.0.1'))
  for (let n = 0; n < 2 * MOST_WAITING; n += 1) queue.add(denied('ssh', `10.0.1.${n}`))
  void queue.begin()
  t.strictSame(runner.sources, ['10.0.0.1'])
})

t.test('what was done in time is not ended later', async (t) => {
  const { clock, queue, runner } = start()
  queue.add(denied('ssh', '10.0.0.1'))
  const over = queue.begin()
  const [action] = runner.begun
  action?.end()
  await over
  await clock.pass(10_000)
  t.equal(action?.signal.aborted, false)
  t.strictSame(queue.counts, { action: 0, done: 1, failed: 0, lost: 0 })
})
