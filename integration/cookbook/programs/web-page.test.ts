// docs/start/web-page.md: its server behind a real nginx, asked by curl, opens the door for the
// address that asked, and for nobody else.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { createNft, installKnock } from '../../../lib/index.js'
import { build } from '../../machine/built.js'
import { missing } from '../../machine/capabilities.js'
import { CLIENT, createPair, exec, NFT, SERVER, start } from '../../machine/namespaces.js'
import { until } from '../../machine/until.js'
import { Page } from '../page.js'

const skip = missing('nginx', 'curl', 'openssl')
build()

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const HOST = 'door.example.org'
const ORIGIN = `https://${HOST}`
/** What everybody behind nginx is asked for. */
const USER = ['-u', 'ana:a long password']

t.test('the page opens a door for the address that asked', { skip }, async (t) => {
  const page = new Page('web-page', 'docs/start/web-page.md')
  await using pair = await createPair()
  // Inside the project, so that `import 'knocklib'` finds the build.
  await mkdir(join(ROOT, '.cache', 'docs'), { recursive: true })
  const folder = await mkdtemp(join(ROOT, '.cache', 'docs', 'web-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const file = (name: string) => join(folder, name)
  // nginx reads no path of more than 107 characters for a socket.
  const sockets = await mkdtemp('/tmp/knl-web-')
  t.teardown(() => rm(sockets, { recursive: true }))
  const socket = join(sockets, 'http.sock')
  await writeFile(file('page.mjs'), page.block('file: page.mjs'))
  const site = page
    .block('file: site.conf')
    .replaceAll('/etc/ssl/', `${folder}/`)
    .replaceAll('/etc/nginx/', `${folder}/`)
    .replaceAll('/run/knock-page/http.sock', socket)
    // The test asks faster than a person.
    .replace('burst=20', 'burst=60')
  const folders = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  const temporary = folders.map((name) => `${name}_temp_path ${sockets}/${name};`).join(' ')
  const around = `pid ${file('pid')}; error_log stderr; daemon off; user root; worker_processes 1;
    events {} http { access_log off; ${temporary} ${site} }`
  await writeFile(file('nginx.conf'), around)
  const sh = (line: string) => exec(pair.server, 'sh', ['-c', line], { cwd: folder })
  const made = await sh(
    'openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 ' +
      `-subj /CN=${HOST} -addext subjectAltName=DNS:${HOST} -keyout door.key -out door.pem && ` +
      'for user in ana bob; do ' +
      "printf '%s:%s\\n' $user \"$(openssl passwd -6 'a long password')\"; done > door.users",
  )
  t.equal(made.code, 0, made.stderr)

  const nft = createNft({ binary: NFT, netns: pair.server })
  const spec = {
    guard: { ignore: ['tcp/443'] },
    doors: [
      {
        name: 'ssh',
        service: 'tcp/22',
        knock: { type: 'sequence' as const, steps: ['udp/7000'] },
        open: { for: '10m' },
      },
    ],
  }
  const ssh = (await installKnock(spec, { nft })).door('ssh')
  const env = { ...process.env, KNOCKLIB_NFT: NFT }
  const server = start(
    pair.server,
    process.execPath,
    [file('page.mjs'), socket, ORIGIN, 'ssh', '5m'],
    { env, stdio: ['ignore', 'pipe', 'inherit'] },
  )
  let said = ''
  server.stdout?.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const nginx = start(pair.server, 'nginx', ['-e', 'stderr', '-c', file('nginx.conf')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let complaints = ''
  nginx.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaints += text
  })
  t.teardown(async () => {
    for (const child of [server, nginx]) {
      if (child.exitCode !== null) continue
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      await ended
    }
  })

  /** Asks nginx from the client. Returns the status and the body. */
  const curl = async (family: 4 | 6, ...args: string[]) => {
    const address = family === 4 ? SERVER[4] : `[${SERVER[6]}]`
    const to = ['--resolve', `${HOST}:443:${address}`, '--cacert', file('door.pem')]
    const options = ['-sS', '--noproxy', '*', '-w', '\n%{http_code}', ...to, ...args, `${ORIGIN}/`]
    const { stdout, stderr } = await exec(pair.client, 'curl', options)
    const [, body = '', status = ''] = /^(.*)\n(\d+)$/s.exec(stdout) ?? []
    return { status: Number(status), body, stderr }
  }
  const tokenOf = (body: string) => /name="token" value="([^"]*)"/.exec(body)?.[1] ?? ''
  const form = (token: string, what = 'open') => [
    ...['--data-urlencode', `token=${token}`, '--data-urlencode', `do=${what}`],
  ]
  const FROM = ['-H', `Origin: ${ORIGIN}`]
  await until(
    async () => (await curl(4, ...USER)).status === 200,
    'page',
    () => complaints,
  )

  t.equal((await curl(4)).status, 401, 'nobody gets in without a password')
  t.equal((await curl(4, '-u', 'ana:wrong')).status, 401)
  for (const family of [4, 6] as const) {
    const source = CLIENT[family]
    const { body } = await curl(family, ...USER)
    t.match(body, `${source}: ssh is shut`)
    const token = tokenOf(body)
    const refused = async (expected: number, ...args: string[]) =>
      t.equal((await curl(family, ...USER, ...args)).status, expected, args.join(' '))
    await refused(403, ...form(token))
    await refused(403, '-H', 'Origin: https://evil.example', ...form(token))
    await refused(403, '-H', 'Origin: null', ...form(token))
    await refused(403, ...FROM, '-H', 'Sec-Fetch-Site: cross-site', ...form(token))
    await refused(403, ...FROM, ...form('1.x'))
    await refused(403, ...FROM, ...form(token.replace(/^\d/, '9')))
    await refused(415, ...FROM, '-H', 'Content-Type: text/plain', ...form(token))
    await refused(400, ...FROM, ...form(token, 'rm'))
    await refused(405, '-X', 'PUT')
    await refused(413, ...FROM, '-d', 'x'.repeat(2000))
    const bob = ['-u', 'bob:a long password', ...FROM]
    t.equal((await curl(family, ...bob, ...form(token))).status, 403, 'the token is of ana')
    const link = await exec(pair.client, 'curl', [
      ...['-sS', '--noproxy', '*', '--resolve', `${HOST}:443:${SERVER[4]}`, '-o', '/dev/null'],
      ...['--cacert', file('door.pem'), '-w', '%{http_code}', ...USER],
      `${ORIGIN}/?token=${token}&do=open`,
    ])
    t.equal(link.stdout, '404', 'a link opens nothing')
    t.strictSame(await ssh.grants(), [], 'what was refused opened nothing')

    const forged = ['-H', 'X-Forwarded-For: 192.0.2.1', '-H', 'X-Forwarded-User: root']
    t.equal((await curl(family, ...USER, ...FROM, ...forged, ...form(token))).status, 303)
    t.strictSame(
      (await ssh.grants()).map((grant) => grant.source),
      [source],
      'the door opens for the address of the connection alone',
    )
    t.match((await curl(family, ...USER)).body, /: ssh is open for (300|29\d) s/)
    t.equal((await curl(family, ...USER, ...FROM, ...form(token, 'close'))).status, 303)
    t.strictSame(await ssh.grants(), [])
  }
  t.match(said, `{"address":"${CLIENT[6]}","user":"ana","door":"ssh","did":"open"}\n`)
  const token = tokenOf((await curl(6, ...USER)).body)
  const codes: number[] = []
  for (let tries = 0; tries < 3; tries += 1) {
    codes.push((await curl(6, ...USER, ...FROM, ...form(token))).status)
  }
  t.strictSame(codes, [303, 429, 429], 'a user has five changes in a minute')
  const { stdout: headers } = await exec(pair.client, 'curl', [
    ...['-sSI', '--noproxy', '*', '--resolve', `${HOST}:443:${SERVER[4]}`],
    ...['--cacert', file('door.pem'), ...USER, `${ORIGIN}/`],
  ])
  t.match(headers, /frame-ancestors 'none'/)
  t.match(headers, /^cache-control: no-store/im)
  const flood = await exec(pair.client, 'curl', [
    ...['-s', '--noproxy', '*', '--resolve', `${HOST}:443:${SERVER[4]}`, '-o', '/dev/null'],
    ...['--cacert', file('door.pem'), '-w', '%{http_code}\n', `${ORIGIN}/?[1-150]`],
  ])
  const refusals = flood.stdout.split('\n').filter((line) => line === '429').length
  t.ok(refusals > 50, `${refusals} of 150 requests of a flood were refused`)
  t.strictSame(
    page.left.filter((mark) => mark !== ''),
    [],
  )
})
