// What the readers tell → what is pushed, and when grants are taken to end.
import t from 'tap'
import { FakeClock } from '../../integration/fixtures/fake-clock.js'
import { renderPrefix } from '../automaton/language/log-prefix.js'
import type { DueGrant } from './clocks.js'
import { Intake } from './intake.js'
import { KnownTable } from './known-table.js'

/** An intake for a table with one door, and what it does. */
function intake() {
  const clock = new FakeClock()
  const known = new KnownTable('knock', true)
  const door = { name: 'ssh', grantTimeout: 30, scope: 'source' }
  known.take({ doors: [door], digest: '', log: 5 } as never)
  const set: DueGrant[] = []
  const logged: string[] = []
  const taking = new Intake({
    clock,
    known,
    clocks: { set: (grant) => set.push(grant), remove: () => {} },
    most: 10,
    push: ({ event }) => logged.push(event.event),
    lose: () => {},
    change: (event) => logged.push(event),
  })
  taking.goOn()
  return { clock, taking, set, logged }
}

t.test("setting the system's clock does not change when a grant ends", async (t) => {
  const grant = { event: 'granted', door: 'ssh', attempt: 'open', stage: 1, of: 1 } as const
  for (const [age, lasts] of [
    [0, 30_000],
    [500, 29_500],
    [-3_600_000, 30_000],
  ] as const) {
    const { clock, taking, set } = intake()
    const at = clock.date() - age
    taking.take({ logged: renderPrefix('knock', grant), at, source: '10.0.0.1' })
    t.equal(set[0]?.due, clock.now() + lasts, `${age} ms old`)
  }
})

t.test('grants that an install carried over are not reported as calls', async (t) => {
  const { clock, taking, logged } = intake()
  const at = clock.date()
  const grant = { set: 'grants_ssh_4', key: '0a000001', expiresIn: 1000 }
  const part = { table: 'knock', sets: [], elements: [grant], more: false }
  const installed = { ...part, event: 'made', shape: true } as const
  taking.take({ changed: installed, at })
  taking.take({ changed: { ...installed, isLater: true }, at })
  t.same(logged, ['installed'])
  const called = { ...part, event: 'changed', shape: false } as const
  taking.take({ changed: called, at })
  taking.take({ changed: { ...called, isLater: true }, at })
  t.same(logged, ['installed', 'granted', 'granted'])
})
