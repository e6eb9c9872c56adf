// A status → the text that people read, to the letter.
import t from 'tap'
import { formatStatus } from './format.js'

const counters = { knocks: 6, grants: 1, resets: 2, denied: 3 }

t.test('doors, who is let in, who is on the way', async (t) => {
  const text = formatStatus({
    table: 'knock',
    doors: [
      {
        name: 'ssh',
        service: ['tcp/22', 'tcp/2222-2230'],
        grants: [
          { source: '10.0.0.1', expiresIn: 28 },
          { source: '2001:db8::7', expiresIn: 0 },
        ],
        progress: [{ source: '10.0.0.9', stage: 1, of: 3, expiresIn: 4 }],
        counters,
      },
      { name: 'web', service: ['any'], grants: [], progress: [], counters },
    ],
  })
  t.equal(
    text,
    `table inet knock

ssh  tcp/22, tcp/2222-2230
  knocks 6, grants 1, resets 2, denied 3
  10.0.0.1     let in        28 s left
  2001:db8::7  let in        0 s left
  10.0.0.9     knock 1 of 3  4 s for the next

web  any
  knocks 6, grants 1, resets 2, denied 3
  nobody is let in or on the way
`,
  )
})
