// An `Nft` of this machine or of another → nothing, or an error that says where to run instead.
import t from 'tap'
import { FakeNft } from './fake.js'
import { requireHere } from './here.js'

t.test('the events of another machine cannot be read from here', async (t) => {
  t.doesNotThrow(() => requireHere(new FakeNft(), 'watch'))
  const there = Object.assign(new FakeNft(), { host: 'root@server' })
  const code = 'missing-capability'
  const watch = { code, message: /root@server.*run knocklib watch on root@server itself/ }
  t.throws(() => requireHere(there, 'watch'), watch)
  const run = { code, message: /root@server.*run knocklib run on root@server itself/ }
  t.throws(() => requireHere(there, 'keepInstalled'), run)
})
