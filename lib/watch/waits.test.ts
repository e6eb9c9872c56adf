// Answers with a limit: in time, late, or refused.
import t from 'tap'
import { within } from './waits.js'

const never = new Promise<boolean>(() => {})

t.test('a wait gives the answer, or false when the time is over', async (t) => {
  t.equal(await within(60_000, Promise.resolve(true)), true)
  t.equal(await within(60_000, Promise.resolve(false)), false)
  const begun = performance.now()
  t.equal(await within(20, never), false)
  t.ok(performance.now() - begun < 10_000)
  await t.rejects(within(60_000, Promise.reject(new Error('refused'))), /refused/)
})
