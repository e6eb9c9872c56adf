// Random specs of one kind of knock, random traces → oracle and simulator agree on each, for every
// kind. No root needed.
import t from 'tap'
import { KINDS } from '../../random/arbitrary-knock.js'
import { spec } from '../../random/arbitrary-spec.js'
import { agree, SCALE } from '../../replay/agree.js'

const RUNS_OF_KIND = 300

for (const kind of KINDS) {
  t.test(`random specs and traces, ${kind} alone`, async (t) => {
    const reached = agree(spec({ scale: SCALE, kinds: [kind] }), RUNS_OF_KIND)
    t.comment(`${RUNS_OF_KIND} pairs of ${kind}: ${JSON.stringify(reached)}`)
    for (const family of [4, 6]) {
      t.ok((reached.made[`${kind}/${family}`] ?? 0) > RUNS_OF_KIND / 10, `grants over IPv${family}`)
    }
    const { elsewhere = 0 } = reached.logged
    t.equal(elsewhere > RUNS_OF_KIND / 30, kind === 'token', `${elsewhere} tokens from elsewhere`)
  })
}
