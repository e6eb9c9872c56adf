// docs/start/action-recipes.md: its programs, run by `knocklib run` at events of real doors.
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import t from 'tap'
import { parse } from 'yaml'
import { build, CLI } from '../../machine/built.js'
import { missing } from '../../machine/capabilities.js'
import { CLIENT, NFT, start } from '../../machine/namespaces.js'
import { until } from '../../machine/until.js'
import { DOOR, withRunSetup } from '../../setups/run-setup.js'
import { Page } from '../page.js'

const skip = missing('knock', 'nc', 'curl')
build()

const page = new Page('action-recipes', 'docs/start/action-recipes.md')

/** Servers in the server's namespace: an HTTP server, and as much SMTP as curl needs. */
const SERVERS = `
  import { appendFileSync } from 'node:fs'
  import { createServer } from 'node:http'
  import { createServer as listen } from 'node:net'
  const file = process.argv[2]
  createServer(async (request, response) => {
    let body = ''
    for await (const part of request) body += part
    const { method, url, headers: { authorization, title } } = request
    appendFileSync(file, JSON.stringify({ method, url, authorization, title, body }) + '\\n')
    response.end()
  }).listen(80, '127.0.0.1')
  listen((client) => {
    let [text, isData] = ['', false]
    client.write('220 here\\r\\n')
    client.on('data', (part) => {
      text += part
      for (let end; (end = text.indexOf('\\r\\n')) >= 0; text = text.slice(end + 2)) {
        const line = text.slice(0, end)
        appendFileSync(file, 'smtp ' + line + '\\n')
        if (isData && line !== '.') continue
        client.write(line === 'DATA' ? '354 go on\\r\\n' : '250 well\\r\\n')
        isData = line === 'DATA'
        if (line === 'QUIT') client.end()
      }
    })
    client.on('error', () => {})
  }).listen(25, '127.0.0.1', () => appendFileSync(file, 'ready\\n'))
`

withRunSetup('the programs of the page do what it says', skip, async (t, setup) => {
  const bin = setup.file('bin')
  await mkdir(bin)
  const program = async (path: string, text: string) => {
    await writeFile(path, text)
    await chmod(path, 0o755)
  }
  await program(
    `${bin}/knocklib`,
    `#!/bin/sh\nKNOCKLIB_NFT=${NFT} exec ${process.execPath} ${CLI} "$@"\n`,
  )
  await program(`${bin}/systemctl`, `#!/bin/sh\necho "systemctl $*" >> ${setup.file('said')}\n`)
  for (const name of ['game', 'tell', 'mail', 'wake.mjs', 'ntfy.curl', 'knocklib.conf']) {
    const text = page.block(`file: ${name}`)
    await program(
      setup.file(name),
      text
        .replace('/etc/knock/', `${setup.folder}/`)
        .replace('https://ntfy.example', 'http://127.0.0.1')
        .replace('#!/usr/bin/env node', `#!${process.execPath}`),
    )
  }
  const said = async () => readFile(setup.file('said'), 'utf8').catch(() => '')
  await writeFile(setup.file('servers.mjs'), SERVERS)
  const { server, client } = setup.pair
  const servers = start(server, process.execPath, [setup.file('servers.mjs'), setup.file('said')])
  t.teardown(() => servers.kill())
  const heard = start(client, 'nc', ['-u', '-l', '-n', '9'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  t.teardown(() => heard.kill())
  const magic: Buffer[] = []
  heard.stdout?.on('data', (part: Buffer) => magic.push(part))
  await until(async () => (await said()).includes('ready'), 'servers')

  const [spec] = page.blocks.flatMap(({ language, text }) =>
    language === 'yaml' ? [parse(text)] : [],
  )
  const actions = (spec.actions as { run: string[] }[]).map(
    ({ run: [path = '', ...args], ...more }) => ({
      ...more,
      run: [
        path.replace('/usr/local/lib/knock', setup.folder),
        ...args.map((arg) => arg.replace('192.168.1.255', CLIENT[4])),
      ],
    }),
  )
  // Bans need guesses: the mail is for a grant that is closed here.
  const mail = actions.map((action) =>
    action.run[0]?.endsWith('/mail') ? { ...action, on: ['closed'] } : action,
  )
  const doors = [{ ...DOOR, name: 'game', service: 'udp/34197' }]
  const post = { on: ['granted'], post: 'http://127.0.0.1/posted' }
  await setup.write('doors.json', { doors, actions: [...mail, post] })
  setup.run([], { PATH: `${bin}:${process.env['PATH']}` })
  await setup.heard('watching')
  await setup.cli('open', 'game', CLIENT[6])
  await setup.cli('open', 'game', '192.0.2.1')
  const lines = async (pattern: RegExp) => (await said()).match(pattern)?.length ?? 0
  await until(
    () => lines(/^systemctl start --no-block game\.service$/gm).then((n) => n >= 2),
    'start',
    () => setup.stderr,
  )
  await setup.cli('close', 'game', CLIENT[6])
  await until(() => lines(/^systemctl start/gm).then((n) => n >= 3), 'start: one source is left')
  t.equal(await lines(/^systemctl stop/gm), 0)
  await setup.cli('close', 'game', '192.0.2.1')
  await until(
    () => lines(/^systemctl stop --no-block game\.service$/gm).then((n) => n === 1),
    'stop',
  )
  await until(async () => Buffer.concat(magic).length >= 102, 'magic packet')
  const packet = Buffer.concat(magic).subarray(0, 102)
  t.equal(packet.toString('hex'), 'f'.repeat(12) + '020000000005'.repeat(16))
  await until(() => lines(/^smtp \.$/gm).then((n) => n === 2), 'two mails')
  const told = await said()
  const requests = (told.match(/^\{.*\}$/gm) ?? []).map((line) => JSON.parse(line))
  const to = (path: string) => requests.filter(({ url }) => url === path)
  t.strictSame(
    to('/posted').map(({ body }) => JSON.parse(body).source),
    [CLIENT[6], '192.0.2.1'],
  )
  t.match(to('/doors')[0], {
    ...{ method: 'POST', url: '/doors', authorization: 'Bearer tk_0123456789', title: 'game' },
    body: `granted  ${CLIENT[6]}`,
  })
  t.match(told, /^smtp RCPT TO:<ana@example\.org>$/m)
  t.match(told, new RegExp(`^smtp Subject: closed ${CLIENT[6]}$`, 'm'))
  t.match(told, /^smtp \{"time":"[^"]*","event":"closed","table":"knock","door":"game",/m)
  t.equal(await setup.end('SIGTERM'), 0)
  t.strictSame(setup.named('action-failed'), [])
})

t.test('the expression for fail2ban matches the lines of run', async (t) => {
  const [, regex = ''] = /^failregex = (.*)$/m.exec(page.block('file: knocklib.conf')) ?? []
  const expression = new RegExp(regex.replace('<ADDR>', '(?<source>[0-9a-f.:]+)'))
  const time = '2026-11-29T02:10:46.900Z'
  const sourceOf = (event: object) =>
    expression.exec(JSON.stringify({ time, ...event }))?.groups?.['source']
  t.equal(sourceOf({ event: 'banned', source: 'fd00::1' }), 'fd00::1')
  t.equal(sourceOf({ event: 'wrong', door: 'open-ssh', source: '192.0.2.1' }), '192.0.2.1')
  t.equal(sourceOf({ event: 'granted', door: 'ssh', source: '192.0.2.1' }), undefined)
})
