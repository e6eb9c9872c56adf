// What is reported of warnings that come and go.
import t from 'tap'
import { FakeClock } from '../../integration/fixtures/fake-clock.js'
import type { Warning } from '../text/warning.js'
import { followWarnings } from './follow.js'

const warn = (path: string): Warning => ({ id: 'interface-missing', path, message: 'not there' })

t.test('each warning is reported once when it appears and once when it ends', async (t) => {
  const stop = new AbortController()
  const heard: string[] = []
  const seen: (Warning[] | Error)[] = [
    [warn('/a')],
    [warn('/a'), warn('/b')],
    new Error('no socket'),
    [warn('/a'), warn('/b')],
    [warn('/b')],
  ]
  const clock = new FakeClock()
  const following = followWarnings({
    clock,
    known: [warn('/a')],
    signal: stop.signal,
    report: ({ path }, isOver) => heard.push(`${path} ${isOver ? 'over' : 'new'}`),
    look: async () => {
      const next = seen.shift()
      if (next instanceof Error) throw next
      if (next) return next
      stop.abort()
      return []
    },
  })
  await clock.passUntil(following)
  t.strictSame(heard, ['/b new', '/a over'])
})

t.test('it ends at once, even during a wait', async (t) => {
  const stop = new AbortController()
  const clock = new FakeClock()
  const following = followWarnings({
    ...{ clock, known: [], every: 3_600_000, signal: stop.signal, report: () => {} },
    look: () => Promise.reject(new Error('looked')),
  })
  await clock.pass(3_599_999)
  stop.abort()
  t.equal(await following, undefined)
})
