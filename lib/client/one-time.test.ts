// One-time sequences: each is out of the file before it is sent, and none is sent twice.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { chmod, lstat, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { readProfile } from './profile.js'
import { sendKnock } from './send.js'
import { takeSequence } from './system/one-time.js'

const HOST = '127.0.0.1'
const AT = { host: HOST, addresses: [HOST] }

async function write(t: Test, document: unknown, name = 'ssh.json'): Promise<string> {
  const file = join(t.testdir({}), name)
  await writeFile(file, JSON.stringify(document))
  await chmod(file, 0o640)
  return file
}

const read = async (file: string) => JSON.parse(await readFile(file, 'utf8'))

const take = (path: string, door?: string) =>
  takeSequence(
    {
      path,
      door,
      async read(document) {
        const { knock } = await readProfile(document, 'here', door)
        return knock.kind === 'oneTime' ? knock.sequences : []
      },
    },
    'sendKnock',
  )

t.test('the first sequence is taken, and the rest of the file stays', async (t) => {
  const document = { $schema: 'x', oneTime: [['udp/1'], [2, 'icmp']], gap: '1ms' }
  const file = await write(t, document)
  const taken = await take(file)
  t.same(taken, { steps: [{ protocol: 'udp', port: 1 }], left: 1 })
  t.same(await read(file), { ...document, oneTime: [[2, 'icmp']] })
  t.equal((await stat(file)).mode & 0o777, 0o640)
  t.same(await readdir(join(file, '..')), ['ssh.json'])
})

t.test('the sequence is taken from the named door', async (t) => {
  const [ssh, web] = [{ oneTime: [[1], [2]] }, { oneTime: [[3], [4]] }]
  const file = await write(t, { host: 'h', doors: { ssh, web } })
  t.match(await take(file, 'web'), { steps: [{ port: 3 }], left: 1 })
  t.same(await read(file), { host: 'h', doors: { ssh, web: { oneTime: [[4]] } } })
  const only = await write(t, { doors: { ssh } }, 'only.json')
  t.match(await take(only), { steps: [{ port: 1 }], left: 1 })
  t.same(await read(only), { doors: { ssh: { oneTime: [[2]] } } })
})

t.test('a one-time sequence goes only to the first address', async (t) => {
  const [first, second] = [HOST, '127.0.0.2']
  const file = await write(t, { host: 'h', addresses: [first, second], oneTime: [['udp/9'], [9]] })
  const { addresses, left } = await sendKnock(undefined, file)
  t.strictSame({ addresses, left }, { addresses: [first], left: 1 })
})

t.test('a link to the file stays a link', async (t) => {
  const file = await write(t, { oneTime: [['udp/1']] })
  const link = join(file, '../link.json')
  await symlink('ssh.json', link)
  await take(link)
  t.ok((await lstat(link)).isSymbolicLink())
  t.same(await read(file), { oneTime: [] })
})

t.test('many callers at once take different sequences', async (t) => {
  const ports = Array.from({ length: 20 }, (_, index) => index + 1)
  const file = await write(t, { oneTime: ports.map((port) => [port]) })
  const taken = await Promise.all(ports.map(() => take(file)))
  const got = taken.map(({ steps }) => steps[0]?.port ?? 0).sort((a, b) => a - b)
  t.same(got, ports)
  t.same(await read(file), { oneTime: [] })
})

t.test('the sequences are sent one after the other, to the last', async (t) => {
  const socket = createSocket('udp4').bind(0, HOST)
  await once(socket, 'listening')
  t.teardown(() => socket.close())
  let arrived = 0
  socket.on('message', () => {
    arrived += 1
  })
  const step = `udp/${socket.address().port}`
  const file = await write(t, { oneTime: [[step], [step, step]] })
  const gap = { gap: 0 }
  t.same(await sendKnock(HOST, file, gap), { ...AT, kind: 'oneTime', packets: 1, left: 1 })
  t.same(await sendKnock(HOST, file, gap), { ...AT, kind: 'oneTime', packets: 2, left: 0 })
  while (arrived < 3) await sleep(5)
  await t.rejects(sendKnock(HOST, file, gap), {
    code: 'invalid-argument',
    message: /ssh\.json: \/oneTime: no sequence is left/,
  })
})

t.test('a sequence is taken if sending fails, but not if it cannot be sent at all', async (t) => {
  const oneTime = [['udp/9'], ['udp/9'], ['udp/9', { protocol: 'tcp', port: 1, flags: 'fin' }]]
  const file = await write(t, { oneTime })
  const message = /^sendKnock: a step with flags/
  await t.rejects(sendKnock('127.0.0.1', file), { code: 'missing-capability', message })
  t.equal((await read(file)).oneTime.length, 3)
  await writeFile(file, JSON.stringify({ oneTime: oneTime.slice(0, 2) }))
  await t.rejects(sendKnock('no..such', file), { code: 'not-sent' })
  t.equal((await read(file)).oneTime.length, 2)
  await t.rejects(sendKnock('255.255.255.255', file), {
    code: 'not-sent',
    message: 'sendKnock: 255.255.255.255 packet 1 of 1: EACCES',
  })
  t.equal((await read(file)).oneTime.length, 1)
})

t.test('the profile must be a JSON file that can be replaced', async (t) => {
  const oneTime = [['udp/9']]
  await t.rejects(sendKnock(HOST, { oneTime }), { message: /expected the path of the file/ })
  const yaml = await write(t, { oneTime }, 'ssh.yaml')
  const refused = /ssh\.yaml: \/oneTime: expected JSON, .* got YAML/
  await t.rejects(sendKnock(HOST, yaml), { code: 'invalid-argument', message: refused })
  t.same(await read(yaml), { oneTime })
  await t.rejects(take(join(yaml, '../none.json')), {
    code: 'invalid-argument',
    message: /none\.json: no sequence can be taken: ENOENT/,
  })
})

t.test('a caller waits while another takes a sequence', async (t) => {
  const file = await write(t, { oneTime: [['udp/9']] })
  await writeFile(`${file}.next`, '')
  const { rm } = await import('node:fs/promises')
  const taking = take(file)
  await sleep(100)
  t.equal((await read(file)).oneTime.length, 1)
  await rm(`${file}.next`)
  t.match(await taking, { left: 0 })
})
