// What a client calls on each system: the command line of ping, and the paths of its files. Of
// macOS, FreeBSD and Windows by their manuals alone: nothing of this ran there.
import path from 'node:path'
import t from 'tap'
import { pingCommand, unanswered } from './ping.js'
import { secretPath } from './profile-file.js'

const HOST = { 4: '192.0.2.1', 6: '2001:db8::1' } as const

const line = (platform: string, family: 4 | 6, source?: string): string =>
  pingCommand(platform, { address: HOST[family], family, length: 228, source }).join(' ')

t.test('ping sends one request without a wait and without a name lookup', async (t) => {
  // ping(8) of iputils.
  t.equal(line('linux', 4), 'ping -4 -c1 -W0.01 -n -q -s 228 192.0.2.1')
  t.equal(line('linux', 6), 'ping -6 -c1 -W0.01 -n -q -s 228 2001:db8::1')
  t.equal(line('linux', 4, '192.0.2.9'), 'ping -4 -c1 -W0.01 -n -q -s 228 -I 192.0.2.9 192.0.2.1')
  // ping(8) and ping6(8) of macOS and FreeBSD: -W is ping's, in milliseconds.
  for (const platform of ['darwin', 'freebsd']) {
    t.equal(line(platform, 4), 'ping -c 1 -W 10 -n -q -s 228 192.0.2.1')
    t.equal(line(platform, 6), 'ping6 -c 1 -n -q -s 228 2001:db8::1')
    const source = 'ping6 -c 1 -n -q -s 228 -S 2001:db8::9 2001:db8::1'
    t.equal(line(platform, 6, '2001:db8::9'), source)
  }
  // learn.microsoft.com, windows-commands/ping.
  t.equal(line('win32', 4), 'ping -4 -n 1 -w 10 -l 228 192.0.2.1')
  t.equal(line('win32', 6, 'fd00::9'), 'ping -6 -n 1 -w 10 -l 228 -S fd00::9 2001:db8::1')
})

t.test('exit code 1 of ping means that the request was sent', async (t) => {
  const codes = ['linux', 'android', 'win32', 'darwin', 'freebsd'].map(unanswered)
  t.same(codes, [1, 1, 1, 2, 2])
})

t.test('the path of a secret is relative to the folder of the profile', async (t) => {
  const { win32, posix } = path
  const home = '/home/ana/.config/knocklib/home.yaml'
  t.equal(secretPath('ana.key', home, posix), '/home/ana/.config/knocklib/ana.key')
  t.equal(secretPath('../ana.key', home, posix), '/home/ana/.config/ana.key')
  t.equal(secretPath('/etc/ana.key', home, posix), '/etc/ana.key')
  t.equal(secretPath('ana.key', undefined, posix), 'ana.key')
  const roaming = 'C:\\Users\\ana\\AppData\\Roaming\\knocklib'
  t.equal(secretPath('ana.key', `${roaming}\\home.yaml`, win32), `${roaming}\\ana.key`)
  t.equal(secretPath('keys/ana.key', `${roaming}/home.yaml`, win32), `${roaming}\\keys\\ana.key`)
  t.equal(secretPath('D:\\keys\\ana.key', `${roaming}\\home.yaml`, win32), 'D:\\keys\\ana.key')
})
