// Every grant closed at once, while another process changes the doors.
import t from 'tap'
import { door, Raced, specOf, ssh } from '../../integration/fixtures/installed.js'
import { attachKnock, installKnock } from '../index.js'

t.test('doors that others install meanwhile are closed, too', async (t) => {
  const nft = new Raced()
  const knock = await installKnock(specOf(ssh), { nft })
  await knock.door('ssh').open('192.0.2.1')
  nft.before.push(async () => {
    const other = await installKnock(specOf(ssh, door('mail', { service: 'tcp/25' })), { nft })
    await other.door('mail').open('2001:db8::2')
  })
  t.strictSame(await knock.closeAll(), [
    { door: 'ssh', source: '192.0.2.1' },
    { door: 'mail', source: '2001:db8::2' },
  ])
  const { doors } = await (await attachKnock({ nft })).status()
  t.strictSame(
    doors.map(({ name, grants }) => [name, grants]),
    [
      ['ssh', []],
      ['mail', []],
    ],
  )
})
