// Random traces at doors that share their sets → the kernel, the simulator and the oracle agree.
import t from 'tap'
import { sweep } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'
import { compare } from '../replay/compare.js'
import { makeSharingPlans, partsOf } from '../replay/plan.js'
import { playAll } from '../replay/playing.js'

const TRACES = 28
const seed = Number(process.env['KNOCKLIB_SEED'] ?? Date.now() % 2 ** 31)
const { versions, skip } = await versionsOrSkip()
if (!skip) sweep()

t.test(`shared doors agree on random traces, KNOCKLIB_SEED=${seed}`, { skip }, async (t) => {
  const plans = makeSharingPlans(seed, Math.floor(Date.now() / 1000), TRACES)
  const count = plans.reduce((sum, plan) => sum + partsOf(plan), 0)
  t.ok(count >= 60, `${count} traces`)
  let looks = 0
  const made: Record<string, number> = {}
  const log = (text: string) => t.comment(text)
  for (const played of await playAll(plans, versions, log)) looks += compare(t, played, made)
  t.ok(looks > count, `${looks} looks at where a source was`)
  t.comment(`grants: ${JSON.stringify(made)}`)
})
