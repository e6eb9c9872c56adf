// What is pasted or scanned → the secret, or what is wrong; and what the page says of a knock.
import t from 'tap'
import { readGiven } from './read-secret.js'
import { clockOf, describeSent, timeLeft } from './texts.js'

const PLACE = { host: '2001:db8::1', door: 'ssh' }
const SECRET = 'ä&#% +3456789abcde'
const CODED = encodeURIComponent(SECRET)

t.test('a secret, a link and a URI are read', async (t) => {
  const bytes = new TextEncoder().encode(SECRET)
  for (const given of [
    SECRET,
    `  ${SECRET}\n`,
    `https://a.example/door.html#secret=${CODED}`,
    `file:///home/ana/door.html#secret=${CODED}`,
    `knocklib://[2001:db8::1]:22/ssh#token&port=udp/41234&secret=${CODED}`,
    `knocklib://[2001:db8::1]/#token&port=udp/41234&secret=${CODED}`,
  ]) {
    t.same(readGiven(given, PLACE), { secret: bytes, text: SECRET }, given)
  }
})

t.test('a wrong text is reported with the reason', async (t) => {
  const wrong: Readonly<Record<string, RegExp>> = {
    '': /^Enter the secret\.$/,
    short: /at least 16 characters/,
    'https://a.example/#token': /no secret in it/,
    'https://a.example/#secret=%zz': /end of this link is broken/,
    'https://a.example/#secret=': /end of this link is broken/,
    'https://a.example/#secret=short': /at least 16 characters/,
    'knocklib://[2001:db8::1]:22/web#secret=x': /^This is for web of 2001:db8::1, and this page/,
    'knocklib://other/ssh#secret=x': /^This is for ssh of other, and this page opens ssh of/,
  }
  for (const [given, problem] of Object.entries(wrong)) {
    t.match(readGiven(given, PLACE), { problem }, given)
  }
})

t.test('the message names what was sent', async (t) => {
  const sent = { period: 7, next: 30_000, reached: ['192.0.2.1'], failed: [] }
  t.match(describeSent(sent, undefined, 0), /^Knocked at 192\.0\.2\.1\. A door gives no answer/)
  t.match(describeSent(sent, sent, 18_500), /same token as before.* knock again in 12 s/)
  t.match(
    describeSent({ ...sent, failed: ['::1: why'] }, undefined, 0),
    /Not knocked at ::1: why\./,
  )
})

t.test('times are shown', async (t) => {
  const shown = [0, 1, 59_001, 600_000, 3_600_000, 36_061_000].map(timeLeft)
  const over = 'The time is over. Knock again.'
  const times = ['0:01', '1:00', '10:00', '1:00:00', '10:01:01'].map((time) => `Open for ${time}`)
  t.same(shown, [over, ...times])
  t.equal(clockOf(Date.UTC(2026, 0, 2, 3, 4, 5)), '03:04:05 UTC')
})
