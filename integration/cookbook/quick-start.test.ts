// README's quick start, followed literally: its lines at the server and at the client, with a real
// sshd.
import t from 'tap'
import { build } from '../machine/built.js'
import { missing } from '../machine/capabilities.js'
import { CLIENT, sweep } from '../machine/namespaces.js'
import { Page } from './page.js'
import { PageSetup } from './page-setup.js'

const skip = missing('nc', 'ssh')
if (!skip) {
  sweep()
  build()
}

t.jobs = 2

for (const family of [4, 6] as const) {
  t.test(`the quick start works over IPv${family}`, { skip, buffered: true }, async (t) => {
    const page = new Page('quick start', 'README.md')
    await using setup = await PageSetup.open(page)
    const atServer = async (mark: string): Promise<string> => {
      const { code, stdout, stderr } = await setup.server(`server: ${mark}`)
      t.equal(code, 0, `${mark}: ${stderr}`)
      return stdout
    }
    t.ok(await setup.logsIn(family), 'ssh works before there are doors')

    await atServer('write')
    t.match(await atServer('check'), 'valid')
    t.match(await atServer('install'), 'unless confirmed within 5m the doors fall open')
    t.ok(await setup.isShut(family), 'the door is shut')

    const line = page.block('client: knock').trim()
    t.match(line, / && ssh server\.example$/)
    const session = await setup.atClient(`${line} echo in`, family)
    t.match(session, { code: 0, stdout: /^in$/m }, line)

    const status = await atServer('confirm')
    t.match(status, CLIENT[family], 'the status shows the grant')
    t.notMatch(status, 'unconfirmed')
    const left = page.left.filter((mark) => mark !== '')
    t.same(left, [], 'each line of the page was run')
  })
}
