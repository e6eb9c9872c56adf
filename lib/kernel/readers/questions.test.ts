// Questions by their numbers → answered, too late, or given up.
import t from 'tap'
import { FakeClock } from '../../../integration/fixtures/fake-clock.js'
import { systemClock } from '../../clock/clock.js'
import { Questions } from './questions.js'

t.test('each answer is for its own question', async (t) => {
  const clock = new FakeClock()
  const questions = new Questions(clock)
  const put: number[] = []
  const asked = [1, 2, 3].map(() => questions.ask((number) => put.push(number), 10_000))
  t.same(put, [1, 2, 3])
  questions.answer(2)
  questions.answer(9)
  t.equal(await asked[1], true)
  questions.answer(1)
  questions.giveUp()
  t.same(await Promise.all(asked), [true, true, false])
  t.notOk(clock.isHeld, 'an answered question leaves no wait')
})

t.test('without an answer in time it resolves with false', async (t) => {
  const clock = new FakeClock()
  const questions = new Questions(clock)
  const [late, last] = [questions.ask(() => {}, 1000), questions.ask(() => {}, 1001)]
  await clock.pass(1000)
  t.equal(await late, false)
  questions.answer(1)
  questions.answer(2)
  t.equal(await last, true, 'a later question still has its time')
})

t.test('an answer counts that arrived while the process was busy', async (t) => {
  const questions = new Questions({
    ...systemClock,
    // The pause ends at once, and the answer is read in the same turn.
    pause: async () => {
      process.nextTick(() => questions.answer(1))
      return true
    },
  })
  t.equal(await questions.ask(() => {}, 1), true)
})
