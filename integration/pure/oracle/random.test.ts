// Random specs of all kinds of knock, random traces → oracle and simulator agree on each. No root
// needed.
import t from 'tap'
import { spec } from '../../random/arbitrary-spec.js'
import { agree, SCALE } from '../../replay/agree.js'

const RUNS = 1600

t.test('random specs and traces', async (t) => {
  const reached = agree(spec({ scale: SCALE }), RUNS)
  t.comment(`${RUNS} pairs: ${JSON.stringify(reached)}`)
  t.ok(reached.grants > RUNS / 2, 'grants were made')
  t.ok(reached.resets > RUNS / 10, 'attempts were reset')
  for (const event of ['knock', 'granted', 'reset', 'wrong', 'denied', 'banned', 'closed']) {
    t.ok((reached.logged[event] ?? 0) > RUNS / 40, `${event} was reported`)
  }
  t.ok((reached.logged['banned by trap'] ?? 0) > RUNS / 40, 'traps banned sources')
  t.ok(reached.unsettled < RUNS / 20, 'few traces depend on when a source ceases to be knocking')
})
