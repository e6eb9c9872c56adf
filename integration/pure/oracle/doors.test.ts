// Random specs of many doors, random traces → oracle and simulator agree on each. No root needed.
import t from 'tap'
import { sharing } from '../../random/arbitrary-shared.js'
import { manyDoors } from '../../random/arbitrary-spec.js'
import { agree, SCALE } from '../../replay/agree.js'

/** Fewer than elsewhere: specs of many doors are slow to build. */
const MANY_DOORS_RUNS = 200
const SHARED_RUNS = 600

t.test('random specs of many doors', async (t) => {
  const reached = agree(manyDoors(SCALE), MANY_DOORS_RUNS)
  t.comment(`${MANY_DOORS_RUNS} pairs: ${JSON.stringify(reached)}`)
  t.ok(reached.resets > MANY_DOORS_RUNS, 'attempts were reset')
})

t.test('random specs of doors that share their sets', async (t) => {
  const hooks = ['input', 'input', 'forward', 'prerouting', 'ingress'] as const
  const reached = agree(sharing(SCALE, hooks), SHARED_RUNS, 1)
  t.comment(`${SHARED_RUNS} pairs: ${JSON.stringify(reached)}`)
  t.ok(reached.grants > SHARED_RUNS / 2, 'grants were made')
  t.ok(reached.resets > SHARED_RUNS / 10, 'attempts were reset')
  t.ok((reached.logged['banned'] ?? 0) > SHARED_RUNS / 200, 'banned was reported')
  for (const event of ['knock', 'granted', 'reset', 'denied', 'closed']) {
    t.ok((reached.logged[event] ?? 0) > SHARED_RUNS / 40, `${event} was reported`)
  }
})
