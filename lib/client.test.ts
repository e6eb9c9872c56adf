// Compares knocklib/client with knocklib → each name of the client is the same thing in both.
import t from 'tap'
import * as client from './client.js'
import * as knocklib from './index.js'

t.test('each call and class of the client is the one of knocklib', async (t) => {
  const all: Readonly<Record<string, unknown>> = { ...knocklib }
  const names = Object.keys(client)
  t.ok(names.includes('sendKnock'))
  for (const [name, value] of Object.entries(client)) t.equal(all[name], value, name)
})
