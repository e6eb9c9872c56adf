// A made-up /proc → the process that is named as holding a group.
import t, { type Test } from 'tap'
import { findGroupHolder } from './group-holder.js'

const NETLINK = `sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    \
Drops    Inode
0000000000000000 0   77         00000000 0        0        0     2        0        9000
0000000000000000 12  77         00000000 0        0        0     2        0        1234
`
const LOG = '    5     77     0 2   128      0  1\n'

function procOf(t: Test, processes: Readonly<Record<string, object>>): string {
  const self = { net: { netlink: NETLINK, netfilter: { nfnetlink_log: LOG } } }
  return t.testdir({ self, 200: processOf(t, '', '/bin/other', 7), ...processes })
}

const processOf = (t: Test, status: string, cmdline: string, socket: number) => ({
  ...{ status, cmdline, comm: '\u001b[2Jcomm\n' },
  fd: { 0: t.fixture('symlink', '/dev/null'), 3: t.fixture('symlink', `socket:[${socket}]`) },
})

const PARENT = 'node\0/usr/lib/knocklib/main.js\0run\0/etc/doors\u001b]0;\u00e9.yaml\0--state\0x\0'
const READER = 'node\0--x\0/usr/lib/knocklib/kernel/log-reader.js\x005\0'

t.test('for a knocklib reader, the process that started it', async (t) => {
  const proc = procOf(t, {
    300: processOf(t, 'Name:\tnode\nPPid:\t299\n', READER, 1234),
    299: processOf(t, 'PPid:\t1\n', PARENT, 8),
  })
  t.strictSame(findGroupHolder(5, proc), {
    process: { id: 299, name: 'node /usr/lib/knocklib/main.js run /etc/doors?]0;?.yaml' },
  })
  t.equal(findGroupHolder(6, proc), undefined)
})

t.test('the reader itself, if the process that started it is gone', async (t) => {
  const proc = procOf(t, { 300: processOf(t, 'PPid:\t1\n', READER, 1234) })
  t.match(findGroupHolder(5, proc), { process: { id: 300, name: /^node --x / } })
})

t.test('any other process, by its command line or its name', async (t) => {
  const long = procOf(t, { 300: processOf(t, 'PPid:\t299\n', `ulogd${'d'.repeat(200)}`, 1234) })
  t.equal(findGroupHolder(5, long)?.process?.name, `ulogd${'d'.repeat(75)}`)
  const nameless = procOf(t, { 300: processOf(t, 'PPid:\t299\n', '', 1234) })
  t.strictSame(findGroupHolder(5, nameless), { process: { id: 300, name: '?[2Jcomm' } })
})

t.test('no process, if this one may not see it', async (t) => {
  t.strictSame(findGroupHolder(5, procOf(t, {})), {})
  t.equal(findGroupHolder(5, t.testdir({})), undefined)
})
