// Failures of the built command: an exit code for each kind, text that says what to do, no stack
// trace.
import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { build } from '../machine/built.js'
import { missing } from '../machine/capabilities.js'
import { apply, sweep } from '../machine/namespaces.js'
import { atServer, type User } from '../setups/user.js'

const skip = missing('bash', 'setpriv')
if (!skip) {
  sweep()
  build()
}

t.jobs = 2

/** Runs a command line that must fail with this exit code and write only to stderr. */
async function fails(
  t: Test,
  user: User,
  line: string,
  code: number,
  words: RegExp,
  circumstances: Parameters<User['try']>[1] = {},
): Promise<string> {
  const output = await user.try(line.split(' '), circumstances)
  t.equal(output.code, code, `knocklib ${line}: exit code ${code}`)
  t.equal(output.stdout, '')
  t.match(output.stderr, words)
  t.notMatch(output.stderr, /^ +at |node:|dist\//m, 'stderr has no stack trace')
  return output.stderr
}

atServer('a wrong spec ends with 2, and every problem is reported', skip, async (t, user) => {
  const paths = ['/table', '/doors/0/service', '/doors/0/open/for', '/extra']
  for (const command of ['check', 'install']) {
    const text = await fails(
      t,
      user,
      `${command} wrong.json`,
      2,
      /^knocklib \w+: wrong\.json: \/doors\/0/,
    )
    for (const path of paths) {
      t.match(text, new RegExp(`${path} \\(line 1, column \\d+\\): expected `))
    }
    const { code, stdout, stderr } = await user.try([command, 'wrong.json', '--json'])
    t.same([code, stderr], [2, ''])
    const { error } = JSON.parse(stdout)
    t.equal(error.code, 'invalid-spec')
    const found = error.problems.map(({ path }: { path: string }) => path)
    t.same(found.sort(), [...paths].sort())
  }
  t.equal((await user.shell('$NFT list ruleset')).stdout, '', 'nothing was changed')
})

atServer('a wrong address, duration or table name ends with 2', skip, async (t, user) => {
  await user.serve(t, 'install', 'doors.json')
  await apply(user.pair.server, 'table inet other { }')
  await fails(t, user, 'open ssh localhost', 2, /expected an IPv4 or IPv6 address, got "localhost"/)
  await fails(t, user, 'open ssh 10.0.0.0/8', 2, /expected an IPv4 or IPv6 address/)
  await fails(
    t,
    user,
    'open ssh 10.0.0.1 --for 1h30m',
    2,
    /: --for: expected a duration .* got "1h30m"/,
  )
  const limits = 'a duration from 1 s to 365 d in whole seconds'
  await fails(
    t,
    user,
    'open ssh 10.0.0.1 --for 1y',
    2,
    new RegExp(`open: --for: expected ${limits}`),
  )
  for (const [time, got] of Object.entries({ '0': '0', '500d': '"500d"', '1.5': '"1.5"' })) {
    const words = new RegExp(`install: --confirm: expected ${limits}.*, got ${got}`)
    await fails(t, user, `install doors.json --confirm ${time}`, 2, words)
  }
  await fails(t, user, 'run doors.json --metrics foo', 2, /run: --metrics: expected .*, got "foo"/)
  await fails(t, user, 'close ssh nobody', 2, /expected an IPv4 or IPv6 address/)
  await fails(t, user, 'unban nobody', 2, /expected an IPv4 or IPv6 address/)
  await fails(t, user, 'open ssh everyone', 2, /expected an IPv4 or IPv6 address/)
  await fails(t, user, 'status --table accept', 2, /not a word of nft/)
  const injected = ['status', '--table', 'knock about; delete table inet other; list table inet x']
  t.equal((await user.try(injected)).code, 2)
  t.match((await user.shell('$NFT list tables')).stdout, 'table inet other')
})

atServer('--strict ends with 2 if others can read the spec', skip, async (t, user) => {
  const { folder } = user
  await chmod(folder, 0o711)
  await chmod(join(folder, 'doors.json'), 0o604)
  const words = new RegExp(
    '/doors/0/knock: the spec\'s file "doors\\.json" can be read by other users, ' +
      'and this sequence .*: chmod 600 it\n$',
  )
  for (const command of ['check', 'install']) {
    await fails(t, user, `${command} doors.json --strict`, 2, words)
  }
  t.equal((await user.shell('$NFT list ruleset')).stdout, '', 'nothing was changed')
  for (const command of ['check', 'install']) {
    const { code, stderr } = await user.try([command, 'doors.json'])
    t.equal(code, 0)
    t.match(stderr, new RegExp(`^knocklib ${command}: warning: ${words.source}`))
    const json = await user.try([command, 'doors.json', '--json'])
    t.match(JSON.parse(json.stdout).warnings, [{ id: 'spec-readable', path: '/doors/0/knock' }])
  }
  const run = await user.shell(`
    $KNOCKLIB run doors.json > events & pid=$!
    timeout 30 sh -c 'until grep -m1 spec-readable events; do sleep 0.1; done'
    kill $pid; wait $pid`)
  t.match(run.stdout, /"event":"warning","id":"spec-readable"/)
  await chmod(join(folder, 'doors.json'), 0o600)
  t.match(await user.try(['check', 'doors.json', '--strict']), { code: 0, stderr: '' })
})

atServer('a table of another program ends with 1', skip, async (t, user) => {
  await apply(user.pair.server, 'table inet knock { chain theirs { }; }')
  const words = /^knocklib install: table inet knock: .*not made by knocklib; it is left as it is$/m
  await fails(t, user, 'install doors.json', 1, words)
  for (const line of ['status', 'uninstall']) {
    await fails(t, user, line, 4, /^knocklib \w+: table inet knock: .*not made by knocklib$/m)
  }
  t.match((await user.shell('$NFT list ruleset')).stdout, 'chain theirs')
  const full = await user.shell('$KNOCKLIB render doors.json > /dev/full')
  t.equal(full.code, 1)
  t.match(full.stderr, /^knocklib: the output cannot be written: ENOSPC[^\n]*\n$/)
})

const WITHOUT_NET_ADMIN = 'setpriv --bounding-set -net_admin --inh-caps -net_admin'.split(' ')

atServer('a missing nft or a missing right ends with 3', skip, async (t, user) => {
  const absent = { env: { KNOCKLIB_NFT: '/nonexistent/nft' } }
  const other = { env: { KNOCKLIB_NFT: '/bin/true' } }
  const powerless = { through: WITHOUT_NET_ADMIN }
  for (const line of ['install doors.json', 'open ssh 10.0.0.1']) {
    await fails(
      t,
      user,
      line,
      3,
      /nft was not found \(KNOCKLIB_NFT=\/nonexistent\/nft\): correct KNOCKLIB_NFT/,
      absent,
    )
    await fails(t, user, line, 3, /nft needs CAP_NET_ADMIN/, powerless)
    await fails(
      t,
      user,
      line,
      3,
      /this is not nft \(KNOCKLIB_NFT=\/bin\/true\): it calls itself "/,
      other,
    )
  }
  const json = await user.try(['status', '--json'], powerless)
  t.equal(JSON.parse(json.stdout).error.code, 'not-permitted')
  for (const circumstances of [absent, powerless]) {
    const { code, stdout } = await user.try(['check', 'doors.json'], circumstances)
    t.equal(code, 0, 'check needs no nft')
    t.match(stdout, /^doors\.json: valid; nft and the kernel were not asked: [^\n]*nft [^\n]*\n$/)
    t.equal(
      /; for the rest: sudo knocklib check doors\.json\n/.test(stdout),
      circumstances === powerless,
    )
    const json = await user.try(['check', 'doors.json', '--json'], circumstances)
    const reason = circumstances === powerless ? /needs CAP_NET_ADMIN/ : /nft was not found/
    t.match(JSON.parse(json.stdout), { valid: true, nft: 'not-asked', reason, warnings: [] })
    t.match(await user.try(['check', 'wrong.json'], circumstances), { code: 2, stdout: '' })
    t.equal((await user.try(['render', 'doors.json'], circumstances)).code, 0)
  }
})

/** Returns a command that runs another one with few file descriptors. */
const withDescriptors = (most: number) => [
  // Without this, NODE_OPTIONS would load tap first.
  ...['bash', '-c', 'unset NODE_OPTIONS; ulimit -n "$0" && exec "$@"'],
  String(most),
]

atServer('a lack of file descriptors ends with 3', skip, async (t, user) => {
  const words =
    /^knocklib[^\n]*no (?:more )?files? can be opened \(EMFILE\): raise[^\n]*ulimit -n[^\n]*\n$/
  for (const most of [24, 26, 28, 29, 30, 31, 32, 36]) {
    const through = withDescriptors(most)
    const lines = ['install doors.yaml', 'run doors.yaml', 'watch']
    await Promise.all(lines.map((line) => fails(t, user, line, 3, words, { through })))
  }
})

atServer('a missing table or grant ends with 4', skip, async (t, user) => {
  for (const line of ['status', 'uninstall', 'open ssh 10.0.0.1', 'close ssh 10.0.0.1']) {
    await fails(t, user, line, 4, /table inet knock: not there/)
  }
  await fails(t, user, 'status --table nosuch', 4, /table inet nosuch: not there/)
  await user.serve(t, 'install', 'doors.json')
  await fails(t, user, 'open nosuch 10.0.0.1', 4, /no door "nosuch", there is ssh/)
  await fails(t, user, 'refill doors.yaml', 4, /made of another spec; install the spec first/)
  await fails(t, user, 'refill doors.json --table nosuch', 4, /table inet nosuch: not there/)
  await fails(t, user, 'unban 10.0.0.1 --table nosuch', 4, /table inet nosuch: not there/)
  const { code, stdout } = await user.try(['close', 'ssh', '10.0.0.1'])
  t.same([code, stdout], [4, 'ssh: 10.0.0.1 had no grant\n'])
})
