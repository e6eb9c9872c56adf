// Options and failures of netlink → whether elements are changed through netlink or by nft.
import t, { type Test } from 'tap'
import { change, later, open, set } from '../../../integration/captures/elements.js'
import { ackOf, fakeOpen } from '../../../integration/captures/fake-socket.js'
import { NetlinkError } from '../../errors.js'
import { renderOpen } from '../../nft/transaction.js'
import { DocumentElements } from '../elements.js'
import { FakeNft } from '../fake.js'
import { AutoElements, chooseElements } from './chosen.js'
import { NetlinkElements } from './netlink.js'

const before = process.env['KNOCKLIB_NFT']
t.beforeEach(() => {
  delete process.env['KNOCKLIB_NFT']
})
t.teardown(() => {
  if (before !== undefined) process.env['KNOCKLIB_NFT'] = before
})

t.test('the option insists; an nft of somebody’s own may work elsewhere', async (t) => {
  const nft = new FakeNft()
  t.type(chooseElements(nft, { elements: 'nft' }), DocumentElements)
  t.type(chooseElements(nft, { nft }), DocumentElements)
  t.type(chooseElements(nft, { nft: '/opt/nft', elements: 'auto' }), DocumentElements)
  const netlink = chooseElements(nft, { nft, elements: 'netlink' })
  t.type(netlink, NetlinkElements)
  t.equal(chooseElements(nft, { elements: 'netlink' }), netlink, 'one socket for all handles')
  t.type(chooseElements(nft, {}), AutoElements)
  process.env['KNOCKLIB_NFT'] = '/opt/nft'
  t.type(chooseElements(nft, {}), DocumentElements)
  t.equal(chooseElements(nft, { elements: 'netlink' }), netlink)
})

/** Makes a fake nft with one grant, and netlink that answers each message with an errno. */
async function ways(errno: number | Error) {
  const nft = new FakeNft()
  await nft.apply({
    nftables: [
      { add: { table: { family: 'inet', name: 'knock' } } },
      {
        add: {
          set: {
            family: 'inet',
            table: 'knock',
            name: 'grants_ssh_4',
            type: 'ipv4_addr',
            flags: ['timeout'],
          },
        },
      },
    ],
  })
  await nft.apply(open(1))
  const { open: opener, sockets } = fakeOpen((socket) => {
    if (errno instanceof Error) throw errno
    socket.onSend = ({ last }) => socket.answer(ackOf(last, errno))
  })
  return { auto: new AutoElements(new NetlinkElements(opener), new DocumentElements(nft)), sockets }
}

async function listed(auto: AutoElements): Promise<string[]> {
  const keys: string[] = []
  for await (const part of auto.list(set)) keys.push(...part.map(({ key }) => String(key)))
  return keys
}

/** Tests that all calls use nft. */
async function takesNft(t: Test, auto: AutoElements): Promise<void> {
  await auto.change(open(2))
  t.match(await auto.find(set, ['10.0.0.2', '10.0.0.9']), [{ key: ['10.0.0.2'] }])
  t.strictSame(await listed(auto), ['10.0.0.1', '10.0.0.2'])
  await t.rejects(auto.require({ ...set, set: 'grants_x_4' }), { code: 'not-found' })
  t.equal(await auto.streams(), false)
}

t.test('if no socket can be opened, nft is used from then on', async (t) => {
  const { auto, sockets } = await ways(new NetlinkError('socket', 'open', 'not here'))
  await takesNft(t, auto)
  t.equal(sockets.length, 1, 'netlink is not tried again')
})

t.test('if netlink is not permitted, nft is used from then on', async (t) => {
  const { auto, sockets } = await ways(1)
  t.equal(await auto.streams(), true, 'until it is known')
  await takesNft(t, auto)
  t.equal(sockets[0]?.sent.length, 1)
})

t.test('if netlink may not read a set, it is left to nft', async (t) => {
  const { auto, sockets } = await ways(1)
  t.equal(await auto.listed(set, { key: ['ipv4_addr'] }), undefined)
  const sent = sockets[0]?.sent.length
  t.equal(await auto.listed(set, { key: ['ipv4_addr'] }), undefined)
  t.equal(sockets[0]?.sent.length, sent, 'netlink is not asked again')
  await takesNft(t, auto)
  const { auto: refused } = await ways(2)
  await t.rejects(refused.listed(set, { key: ['ipv4_addr'] }), { code: 'not-found' })
})

t.test('after a refusal of the kernel nft is not used', async (t) => {
  const { auto, sockets } = await ways(2)
  await t.rejects(auto.require(set), { code: 'not-found', cause: { code: 'ENOENT' } })
  await t.rejects(auto.change(open(1)), { code: 'not-found' })
  await t.rejects(listed(auto), { code: 'not-found' })
  t.equal(await auto.streams(), true)
  t.equal(sockets[0]?.sent.length, 3)
})

t.test('a change that is too long for the socket uses nft, and the next one netlink', async (t) => {
  const { auto, sockets } = await ways(0)
  const sources = Array.from({ length: 3000 }, (_, index) => {
    return { family: 4, address: `10.1.${index >> 8}.${index & 255}` } as const
  })
  await auto.change(renderOpen({ ...change(), sources }, 60))
  t.equal(sockets[0]?.sent.length, 0)
  await auto.change(open(3))
  await later()
  t.equal(sockets[0]?.sent.length, 1)
})
