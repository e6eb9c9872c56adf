// What every runner of actions promises, for the one of the tests and the real one. The real one
// runs programs and sends to a server of the test.
import { existsSync, readFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { FakeRunner } from '../../integration/fakes/fake-runner.js'
import { until } from '../../integration/machine/until.js'
import type { ActionDoes } from '../spec/model/model.js'
import { type ActionRunner, SystemRunner } from './runner.js'
import { tellOf } from './told.js'

const TOLD = tellOf(
  {
    ...{ time: '2026-11-21T10:00:00.000Z', event: 'granted', door: 'ssh', source: '10.0.0.1' },
    ...{ by: 'knock', expiresIn: 30, user: 'ana' },
  },
  'knock',
)
const { signal: never } = new AbortController()
const sh = (script: string, ...args: string[]): ActionDoes => ({
  run: ['/bin/sh', '-c', script, 'sh', ...args],
})
const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    // A zombie has ended; its parent may be a container's init that never asks.
    return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

for (const [name, runner] of [
  ['the fake', new FakeRunner()],
  ['the system', new SystemRunner()],
] as readonly [string, ActionRunner][]) {
  t.test(`${name}: nothing is begun with an aborted signal`, async (t) => {
    const file = `${t.testdir({})}/begun`
    t.type(await runner.run(sh('touch "$1"', file), TOLD, AbortSignal.abort()), 'string')
    t.throws(() => readFileSync(file))
  })

  t.test(`${name}: a signal ends what is under way`, async (t) => {
    const end = new AbortController()
    const over = runner.run(sh('sleep 60'), TOLD, end.signal)
    end.abort()
    t.type(await over, 'string')
  })
}

const system = new SystemRunner()

t.test('a program gets the event, and nothing of this process’s environment', async (t) => {
  process.env['KNOCK_TEST_SECRET'] = 'secret'
  process.env['NOTIFY_SOCKET'] = '/run/systemd/notify'
  t.teardown(() => {
    delete process.env['KNOCK_TEST_SECRET']
    delete process.env['NOTIFY_SOCKET']
  })
  const folder = t.testdir({})
  const script = 'env > "$1/env"; cat > "$1/stdin"; pwd > "$1/pwd"; echo "$2" > "$1/argument"'
  t.equal(await system.run(sh(script, folder, '$(id); *'), TOLD, never), undefined)
  const read = (file: string) => readFileSync(`${folder}/${file}`, 'utf8')
  const lines = read('env').trimEnd().split('\n')
  // Node itself hands the last one on, if the lines that run are recorded.
  const variables = 'KNOCK_(TIME|EVENT|TABLE|DOOR|SOURCE|BY|EXPIRES_IN|USER)'
  const known = new RegExp(
    `^(${variables}|PATH|LANG|LC_ALL|LC_CTYPE|TZ|PWD|OLDPWD|SHLVL|_|NODE_V8_COVERAGE)=`,
  )
  t.strictSame(
    lines.filter((line) => !known.test(line)),
    [],
  )
  t.ok(lines.includes('KNOCK_USER=ana'))
  t.equal(read('stdin'), `${TOLD.document}\n`)
  t.equal(read('pwd'), '/\n')
  t.equal(read('argument'), '$(id); *\n', 'no shell reads an argument')
})

t.test('a failed program is reported with its last words', async (t) => {
  const why = (does: ActionDoes) => system.run(does, TOLD, never)
  t.equal(await why(sh('exit 3')), 'exit code 3')
  t.equal(
    await why(sh('echo out; echo first >&2; echo last words >&2; exit 1')),
    'exit code 1: last words',
  )
  t.equal(await why(sh('kill -SEGV $$')), 'ended by SIGSEGV')
  t.equal(await why({ run: ['/no/such/program'] }), 'cannot be started (ENOENT)')
  t.equal(await why({ run: [`${t.testdir({ plain: '' })}/plain`] }), 'cannot be started (EACCES)')
  t.equal(
    await why(sh('head -c 3000000 /dev/zero | tr "\\0" x >&2; exit 1')),
    `exit code 1: ${'x'.repeat(200)}`,
  )
  t.equal(await why({ run: ['/bin/true'] }), undefined, 'the stdin need not be read')
  const unfit = { ...TOLD, variables: { KNOCK_DOOR: 'a\0b' } }
  const reason = await system.run({ run: ['/bin/true'] }, unfit, never)
  t.equal(reason, 'cannot be started (ERR_INVALID_ARG_VALUE)')
})

t.test('what a program leaves behind keeps nobody waiting', async (t) => {
  const file = `${t.testdir({})}/pid`
  const begun = performance.now()
  t.equal(await system.run(sh('sleep 30 & echo $! > "$1"', file), TOLD, never), undefined)
  t.ok(performance.now() - begun < 20_000)
  const pid = Number(readFileSync(file, 'utf8'))
  t.ok(isAlive(pid))
  process.kill(pid)
})

t.test('the whole process group is ended, also one that ignores SIGTERM', async (t) => {
  const file = `${t.testdir({})}/pid`
  const end = new AbortController()
  const stubborn = 'trap "" TERM; sleep 60 & echo $! > "$1"; while :; do wait; done'
  const over = system.run(sh(stubborn, file), TOLD, end.signal)
  const pidOf = () => {
    try {
      return Number(readFileSync(file, 'utf8'))
    } catch {
      return 0
    }
  }
  await until(() => pidOf() > 0, 'process')
  end.abort()
  t.equal(await over, 'ended before it was done')
  await until(() => !isAlive(pidOf()), 'end of its child')
})

t.test(
  'a program that ends well at SIGTERM has succeeded, and leaves nothing behind',
  async (t) => {
    const file = `${t.testdir({})}/pid`
    const end = new AbortController()
    const child = '/bin/sh -c \'trap "" TERM; echo $$ > "$1"; exec sleep 60\' sh "$1" & wait'
    const over = system.run(sh(`trap "exit 0" TERM; ${child}`, file), TOLD, end.signal)
    const pid = () => (existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0)
    await until(() => pid() > 0, 'process')
    end.abort()
    t.equal(await over, undefined)
    await until(() => !isAlive(pid()), 'end of its child')
  },
)

t.test('without a PATH a program gets the usual one', async (t) => {
  const { PATH } = process.env
  t.teardown(() => {
    process.env['PATH'] = PATH
  })
  delete process.env['PATH']
  const file = `${t.testdir({})}/env`
  t.equal(await system.run(sh('/usr/bin/env > "$1"', file), TOLD, never), undefined)
  t.match(readFileSync(file, 'utf8'), /^PATH=.*:\/usr\/bin:/m)
})

interface Received {
  readonly method: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

async function serve(t: Test) {
  const received: Received[] = []
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const { method, headers, url } = request
    received.push({ method, headers, body: Buffer.concat(parts).toString() })
    if (url === '/hang') return
    response.writeHead(Number(url?.slice(1)), { location: 'ftp://elsewhere.example/' })
    response.end('an answer')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo
  return { received, server, url: `http://127.0.0.1:${port}/` }
}

t.test('the event is sent as JSON', async (t) => {
  const { received, server, url } = await serve(t)
  const send = (path: string, signal = never) => system.run({ post: `${url}${path}` }, TOLD, signal)
  t.equal(await send('204'), undefined)
  t.match(received, [{ method: 'POST', headers: { 'content-type': 'application/json' } }])
  t.equal(received[0]?.body, TOLD.document)
  t.equal(await send('404'), 'the server answered 404')
  t.equal(await send('503'), 'the server answered 503')
  t.equal(await send('307'), 'the server answered 307: redirects are not followed')
  const end = new AbortController()
  const over = send('hang', end.signal)
  await until(() => received.length === 5, 'request')
  end.abort()
  t.equal(await over, 'ended before it was done')
  server.close()
  server.closeAllConnections()
  const unsent = await send('secret')
  t.equal(unsent, 'cannot be sent (ECONNREFUSED)', 'without the URL')
  const { signal } = new AbortController()
  const refused = await system.run({ post: 'http://127.0.0.1:1/secret' }, TOLD, signal)
  t.equal(refused, 'cannot be sent (bad port)', 'a port to which no browser sends')
})
