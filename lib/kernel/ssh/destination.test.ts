// Names of machines for ssh → taken or refused.
import t from 'tap'
import { readDestination } from './destination.js'

const PLAIN = [
  ...['server', 'root@server', 'ana.b@server.example', '10.77.0.1', 'root@10.77.0.1'],
  ...['fd00::1', 'root@fd00::1', 'root@fe80::1%eth0', 'a_b'],
]

/** With the words that ssh is given. */
const TAKEN = [
  ...PLAIN.map((text) => [text, `-- ${text}`] as const),
  ['ssh://server', '-- server'],
  ['ssh://root@server', '-- root@server'],
  ['ssh://root@server:2222', '-p 2222 -- root@server'],
  ['ssh://root@[fd00::1]:2222', '-p 2222 -- root@fd00::1'],
  ['ssh://10.77.0.1:22/', '-p 22 -- 10.77.0.1'],
] as const

const REFUSED = [
  ...['', '-v', '-oProxyCommand=id', 'root@-oProxyCommand=id', 'ssh://-v', '--', ' root@server'],
  ...['root@server ', 'root@server id', 'a;id', '$(id)', '`id`', "a'b", 'a"b', 'a\nb', 'root@'],
  ...['@server', 'root@a@b', 'http://server', 'ssh://server:x', 'ssh://server/x', 'root@[fd00::1]'],
  ...['%h', '-@server', 'root@server\u001b[2J'],
]

t.test('a machine as ssh takes it', async (t) => {
  for (const [text, words] of TAKEN) {
    t.strictSame(readDestination(text, 'createNft'), words.split(' '), text)
  }
})

t.test('what ssh or a shell could take for something else', async (t) => {
  for (const text of REFUSED) {
    const wrong = { code: 'invalid-argument', message: /^createNft: ssh: expected a machine such/ }
    t.throws(() => readDestination(text, 'createNft'), wrong, JSON.stringify(text))
  }
})

t.test('a message shows no password', async (t) => {
  const wrong = { message: /, got one with a password$/ }
  t.throws(() => readDestination('ssh://root:hunter2@server', 'createNft'), wrong)
})
