// How often a text is made, however many ask for it.
import t from 'tap'
import { FakeClock } from '../../integration/fixtures/fake-clock.js'
import { freshText } from './fresh-text.js'

t.test('one call runs at a time, and its text is used for a second', async (t) => {
  const clock = new FakeClock()
  let [calls, running, most] = [0, 0, 0]
  const text = freshText(async () => {
    calls += 1
    running += 1
    most = Math.max(most, running)
    const own = calls
    await clock.pause(100)
    running -= 1
    return `${own}`
  }, clock)
  const first = Promise.all([text(), text()])
  await clock.pass(50)
  t.strictSame(await clock.passUntil(Promise.all([first, text()])), [['1', '1'], '1'])
  await clock.pass(999)
  t.equal(await text(), '1', 'the text is still fresh')
  await clock.pass(1)
  t.strictSame(
    await clock.passUntil(Promise.all([text(), text()])),
    ['2', '2'],
    'an old text is made anew, once for two calls',
  )
  t.strictSame([calls, most], [2, 1])
})

t.test('waiting calls get the failure, and the next call tries again', async (t) => {
  const clock = new FakeClock()
  let calls = 0
  const text = freshText(async () => {
    calls += 1
    await clock.pause(100)
    if (calls === 1) throw new Error('not there')
    return 'well'
  }, clock)
  const waiting = Promise.allSettled([text(), text()])
  const found = await clock.passUntil(waiting)
  t.strictSame(
    found.map(({ status }) => status),
    ['rejected', 'rejected'],
  )
  t.equal(calls, 1)
  t.equal(await clock.passUntil(text()), 'well')
})
