// Command lines of a client → what is sent, said and written, over loopback.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { FakeProcess, runCommand } from '../../../../integration/fakes/command-line.js'
import { ProgressLine } from './progress.js'

const HOST = '127.0.0.1'

/** The port of a service that accepts connections until the test ends or it is closed. */
async function serve(t: Test): Promise<{ port: string; close(): Promise<void> }> {
  const server = createServer((socket) => socket.on('error', () => {}).end('hello'))
  server.listen(0, HOST)
  await once(server, 'listening')
  const close = async () => {
    if (server.listening) await once(server.close(), 'close')
  }
  t.teardown(close)
  return { port: String((server.address() as AddressInfo).port), close }
}

t.test('knock prints what was sent', async (t) => {
  const socket = createSocket('udp4').bind(0, HOST)
  await once(socket, 'listening')
  t.teardown(() => socket.close())
  const step = `udp/${socket.address().port}`
  const text = await runCommand(['knock', HOST, step, step, '--gap', '10ms'])
  t.same(text, { code: 0, stdout: `${HOST}: 2 packets sent; a door gives no answer\n`, stderr: '' })
  const json = await runCommand(['knock', HOST, step, '--json'])
  t.same(JSON.parse(json.stdout), { host: HOST, sent: 1, addresses: [HOST] })
  t.same(await runCommand(['knock', HOST, step, '-q']), { code: 0, stdout: '', stderr: '' })
})

t.test('knock --wait prints whether the door opened', async (t) => {
  const { port, close } = await serve(t)
  const knock = (...more: string[]) => runCommand(['knock', HOST, 'udp/9', ...more])
  const open = await knock('--wait', port)
  t.equal(open.code, 0)
  t.match(open.stdout, `port ${port} of ${HOST}: open\n`)
  const { stdout } = await knock('--wait', port, '--within', '5', '--json')
  t.match(JSON.parse(stdout), { verdict: 'open', address: HOST, knocks: 1 })
  t.equal((await knock('--wait', port, '--then', 'exit 9')).code, 9)
  await close()
  const refused = await knock('--wait', port, '--then', 'exit 9')
  t.equal(refused.code, 5)
  t.match(refused.stdout, /refused: nothing listens there/)
  const file = join(t.testdir({}), 'p.json')
  const profile = { host: HOST, steps: ['udp/9'], port: Number(port), connections: 1 }
  await writeFile(file, JSON.stringify(profile), { mode: 0o600 })
  const unknown = await runCommand(['knock', '--profile', file, '--wait'])
  t.equal(unknown.code, 7)
  t.match(unknown.stdout, /not tried/)
  const wrong = await knock('--wait', 'ssh')
  t.match(wrong, { code: 2, stderr: /--wait: expected a TCP port, got ssh/ })
  t.match(await knock('--wait', port, '--within', 'soon'), { code: 2, stderr: /within/ })
})

t.test('knock reports addresses that could not be sent to', async (t) => {
  const file = join(t.testdir({}), 'p.json')
  const addresses = [HOST, '255.255.255.255']
  const profile = { host: 'server.example', addresses, steps: ['udp/9'] }
  await writeFile(file, JSON.stringify(profile), { mode: 0o600 })
  const { code, stdout } = await runCommand(['knock', '--profile', file])
  t.equal(code, 0)
  t.match(stdout, /^server\.example \(127\.0\.0\.1\): 1 packet sent/)
  t.match(stdout, /\nnot sent: 255\.255\.255\.255 udp\/9: /)
})

t.test('connect refuses a wrong port, and reports that nothing listens', async (t) => {
  const { port, close } = await serve(t)
  await close()
  const file = join(t.testdir({}), 'p.json')
  await writeFile(file, JSON.stringify({ steps: ['udp/9'] }), { mode: 0o600 })
  const connect = (...argv: string[]) => runCommand(['connect', ...argv, '--profile', file])
  t.match(await connect(HOST, 'ssh'), { code: 2, stderr: /expected a TCP port, got ssh/ })
  const refused = await connect(HOST, port, '--within', '5s', '-q')
  t.match(refused, { code: 5, stdout: '', stderr: /refused: nothing listens there/ })
})

const SPEC = `doors:
  - name: ssh
    service: tcp/22
    knock:
      type: token
      port: udp/6000
      period: 30s
      users: [{ name: ana, secretFile: FOLDER/ana.key }]
    open: { for: 30s }
`

async function spec(t: Test): Promise<string> {
  const folder = t.testdir({})
  await writeFile(join(folder, 'ana.key'), 'sixteen bytes or more\n', { mode: 0o600 })
  const path = join(folder, 'doors.yaml')
  await writeFile(path, SPEC.replace('FOLDER', folder))
  return path
}

t.test('profile writes a profile, a URI, or a file', async (t) => {
  const path = await spec(t)
  const make = (...more: string[]) => runCommand(['profile', path, '--host', HOST, ...more])
  const yaml = await make()
  t.match(yaml.stdout, /^host: 127\.0\.0\.1\ndoor: ssh\nport: 22\n/m)
  const uri = await make('--format', 'uri')
  t.match(uri.stdout, /^knocklib:\/\/127\.0\.0\.1:22\/ssh#token&.*secret=sixteen/)
  t.match(uri.stderr, /warning: this shows the secret/)
  const output = join(path, '../out.json')
  const written = await make('--format', 'json', '--output', output)
  t.match(written.stdout, /out\.json written\n$/)
  t.equal((await stat(output)).mode & 0o777, 0o600)
  t.match(JSON.parse(await readFile(output, 'utf8')), { host: HOST, door: 'ssh' })
  const addresses = await make('--address', '192.0.2.1,2001:db8::1', '--json')
  t.match(JSON.parse(addresses.stdout), { addresses: ['192.0.2.1', '2001:db8::1'] })
  const process = new FakeProcess()
  process.stdin.end(uri.stdout)
  const back = await runCommand(['profile', '-', '--format', 'json'], { process })
  t.match(JSON.parse(back.stdout), { host: HOST, token: { secret: 'sixteen bytes or more' } })
  const file = join(path, '../home.uri')
  await writeFile(file, uri.stdout, { mode: 0o600 })
  t.match((await runCommand(['profile', file])).stdout, /secret: "sixteen bytes or more"/)
})

t.test('profile refuses combinations that are not possible', async (t) => {
  const path = await spec(t)
  const make = (...more: string[]) => runCommand(['profile', path, ...more])
  const wrong: [string[], RegExp][] = [
    [[], /--host: expected the server's name or address, got none/],
    [['--host', HOST, '--knock', '0'], /--knock: expected a number from 1 on, got 0/],
    [['--host', HOST, '--output', 'x', '--save', 'x'], /one of --output and --save, got both/],
    [['--host', HOST, '--save', 'a/b'], /--save: expected a profile's name, got a\/b/],
    [['--host', HOST, '--save', 'x', '--format', 'sh'], /--save: expected --format yaml or json/],
    [['--host', HOST, '--user', 'ben'], /--user: expected ana, got ben/],
  ]
  for (const [argv, message] of wrong) {
    t.match(await make(...argv), { code: 2, stderr: message }, argv.join(' '))
  }
  const missing = await runCommand(['profile', join(path, '../none.uri')])
  t.match(missing, { code: 2, stderr: /none\.uri: no such file/ })
})

t.test('a progress line for a long knock is shown only on a terminal', async (t) => {
  const progress = { sent: 1, of: 3, remaining: 4200 }
  const { stderr } = new FakeProcess()
  const line = new ProgressLine(stderr)
  line.show(progress)
  t.equal(stderr.text, '')
  stderr.isTTY = true
  line.show({ ...progress, remaining: 10 })
  t.equal(stderr.text, '')
  line.show(progress)
  t.match(stderr.text, 'knocking: 1 of 3 packets sent, 5 s left')
  line.end()
  t.match(stderr.text, /\r\S*$/)
})
