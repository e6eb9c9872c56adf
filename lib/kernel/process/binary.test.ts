// Options and the environment → the nft that is run, and where it is looked for.
import t from 'tap'
import { chooseBinary, environmentNft, searchPath } from './binary.js'

const before = process.env['KNOCKLIB_NFT']
t.teardown(() => {
  if (before === undefined) delete process.env['KNOCKLIB_NFT']
  else process.env['KNOCKLIB_NFT'] = before
})

t.test('the option, the environment, PATH', async (t) => {
  process.env['KNOCKLIB_NFT'] = '/opt/nft'
  t.match(chooseBinary('/x'), { path: '/x', chosen: 'the option nft, "/x"' })
  t.match(chooseBinary(undefined), { path: '/opt/nft', chosen: 'KNOCKLIB_NFT=/opt/nft' })
  process.env['KNOCKLIB_NFT'] = ''
  t.equal(environmentNft(), undefined, 'an empty variable names none')
  t.match(chooseBinary(undefined), { path: 'nft', advice: /install the package nftables/ })
})

t.test('the folders that a user’s PATH lacks are searched last', async (t) => {
  t.equal(searchPath('/usr/bin:/bin'), '/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin')
  t.equal(searchPath('/usr/sbin:/bin'), '/usr/sbin:/bin:/usr/local/sbin:/sbin')
})
