// knocklib/client → what it exports is what the whole library exports by the same name.
import t from 'tap'
import * as client from './client.js'
import * as library from './index.js'

t.test('each call and class of the client is the one of the library', async (t) => {
  const all: Readonly<Record<string, unknown>> = { ...library }
  const names = Object.keys(client)
  t.ok(names.includes('sendKnock'))
  for (const [name, value] of Object.entries(client)) t.equal(all[name], value, name)
})
