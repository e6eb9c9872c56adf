// Random specs of many doors, random traces → oracle and simulator agree on each. No root needed.
import t from 'tap'
import { manyDoors } from '../../chance/arbitrary-spec.js'
import { agree, SCALE } from '../../play/agree.js'

/** Fewer than elsewhere: specs of many doors are slow to build. */
const MANY_DOORS_RUNS = 200

t.test('random specs of many doors', async (t) => {
  const reached = agree(manyDoors(SCALE), MANY_DOORS_RUNS)
  t.comment(`${MANY_DOORS_RUNS} pairs: ${JSON.stringify(reached)}`)
  t.ok(reached.resets > MANY_DOORS_RUNS, 'attempts were reset')
})
