// Questions by their numbers: answered, too late, given up.
import t from 'tap'
import { Questions } from './questions.js'

t.test('each answer is for its own question', async (t) => {
  const questions = new Questions()
  const put: number[] = []
  const asked = [1, 2, 3].map(() => questions.ask((number) => put.push(number), 10_000))
  t.same(put, [1, 2, 3])
  questions.answer(2)
  questions.answer(9)
  t.equal(await asked[1], true)
  questions.answer(1)
  questions.giveUp()
  t.same(await Promise.all(asked), [true, true, false])
})

t.test('without an answer in time it is no', async (t) => {
  const questions = new Questions()
  t.equal(await questions.ask(() => {}, 1), false)
  questions.answer(1)
})
