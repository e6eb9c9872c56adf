// Answers with a limit: in time, late, refused, or found only after a busy moment.
import { stat } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { within } from './waits.js'

const never = new Promise<boolean>(() => {})

t.test('the answer, or false when the time is over', async (t) => {
  t.equal(await within(60_000, Promise.resolve(true)), true)
  t.equal(await within(60_000, Promise.resolve(false)), false)
  const begun = performance.now()
  t.equal(await within(20, never), false)
  t.ok(performance.now() - begun < 10_000)
  await t.rejects(within(60_000, Promise.reject(new Error('refused'))), /refused/)
})

t.test('what came while the process was busy is in time', async (t) => {
  // From a timer on: the timers that are over come before what was read meanwhile.
  await sleep(1)
  const answer = stat('.').then(() => true)
  const found = within(20, answer)
  const until = performance.now() + 60
  while (performance.now() < until);
  t.equal(await found, true)
})
