// Broken and strange netlink messages: read like a second reading does, or refused as malformed.
// `npm run bench -- fuzz` does millions.
import t from 'tap'
import { compare, createMessages, createRandom } from '../../../integration/captures/fuzz.js'

t.test('a hundred thousand messages', async (t) => {
  const random = createRandom(20_261_121)
  const counts = { read: 0, malformed: 0 }
  let left = 100_000
  for (const bytes of createMessages(random)) {
    counts[compare(bytes, random)] += 1
    left -= 1
    if (left === 0) break
  }
  t.ok(counts.read > 10_000, `${counts.read} could be read`)
  t.ok(counts.malformed > 10_000, `${counts.malformed} could not`)
})
