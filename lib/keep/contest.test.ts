// When it is reported: a table is changed by others again and again.
import t from 'tap'
import { Contest } from './contest.js'

const emit = (...times: number[]): boolean[] => {
  const contest = new Contest()
  return times.map((time) => contest.putBack(time * 1000))
}

t.test('three changes within ten seconds are reported once until a quiet time', async (t) => {
  t.strictSame(emit(0, 6, 12, 18), [false, false, false, false], 'rare changes are not reported')
  t.strictSame(emit(0, 5, 10, 11, 12), [false, false, true, false, false])
  t.strictSame(emit(0, 1, 2, 50, 51, 52), [false, false, true, false, false, false])
  t.strictSame(
    emit(0, 1, 2, 63, 64, 65),
    [false, false, true, false, false, true],
    'changes after a quiet time are reported again',
  )
})
