// Wrong command lines, files and profiles: each ends with 2 and says what is wrong.
import { runCommand } from '../fakes/command-line.js'
import { build } from '../machine/built.js'
import { missing } from '../machine/capabilities.js'
import { sweep } from '../machine/namespaces.js'
import { atServer } from '../setups/user.js'

const skip = missing('bash')
if (!skip) {
  sweep()
  build()
}

const USAGE: readonly (readonly [line: string, words: RegExp])[] = [
  ['frobnicate', /unknown command 'frobnicate'/],
  ['instal doors.json', /Did you mean install\?/],
  ['check', /missing required argument 'spec'\n\(knocklib check --help says how\)/],
  ['check doors.json --wat', /unknown option '--wat'/],
  ['check doors.json doors.yaml', /too many arguments/],
  ['check nosuch.json', /^knocklib check: nosuch\.json: ENOENT: no such file/],
  ['check broken.json', /broken\.json: expected JSON: /],
  ['check broken.yaml', /broken\.yaml: expected YAML: .*line/],
  ['check bomb.yaml', /bomb\.yaml: expected YAML: .*alias/],
  ['check null.json', /expected an object with doors, got null/],
  ['render doors.json --format xml', /Allowed choices are json, nft/],
  ['simulate doors.json nosuch.txt', /ENOENT/],
  ['simulate doors.json trace-line.txt', /line 2: expected seconds, source and destination/],
  ['simulate doors.json trace-null.json', /\/0: expected a packet, got null/],
  ['simulate doors.json trace-flags.json', /\/0\/flags: expected TCP flags as a byte/],
  ['simulate doors.json doors.json', /expected a list of packets/],
  ['knock 127.0.0.1', /expected steps, --profile, .* got 127\.0\.0\.1/],
  ['knock 127.0.0.1 7000 --profile client.json', /got both/],
  ['knock 127.0.0.1 tcp/0', /expected tcp\/1\.\.65535, .* got "tcp\/0"/],
  ['knock 127.0.0.1 7000 --gap 100', /expected a gap such as "100ms" or "2s", .* got "100"/],
  ['knock 127.0.0.1 7000 -4 -6', /expected one of --ipv4 and --ipv6, got both/],
  ['knock 127.0.0.1 --profile client-key.json', /\/gaps: expected no such key/],
  ['knock 127.0.0.1 --profile client-step.json', /got null/],
  ['knock 127.0.0.1 --profile client-none.json', /\/steps: expected a list of steps/],
  [
    'knock 127.0.0.1 --profile client-two.json',
    /\/token: conflicts with \/steps: .*\n +\/token\/port: /,
  ],
  ['knock 127.0.0.1 --profile client-secret.json', /nosuch\.key: the secret cannot be read/],
  ['knock 127.0.0.1 --profile client-open.json', /doors\.json: .*\(chmod 600\), got mode/],
  ['knock 127.0.0.1 --profile client-once.yaml', /\/oneTime: expected JSON/],
  ['knock 127.0.0.1 --profile client-spent.json', /\/oneTime: no sequence is left/],
  ['simulate doors.json trace-payload.txt', /line 1: expected seconds/],
]

atServer('wrong usage ends with 2', skip, async (t, user) => {
  // The command itself for some of them: a process takes longer than all lines in this one.
  const runs = USAGE.flatMap(([line, words], index) => {
    const argv = line.split(' ')
    const here = { line, words, run: () => runCommand(argv) }
    return index % 10 === 0 ? [here, { line, words, run: () => user.try(argv) }] : [here]
  })
  const before = process.cwd()
  process.chdir(user.folder)
  for (const { line, words, run } of runs) {
    const { code, stdout, stderr } = await run()
    t.same([code, stdout], [2, ''], `knocklib ${line}`)
    t.match(stderr, words)
    t.notMatch(stderr, /^ +at |node:|dist\//m, 'stderr has no stack trace')
  }
  process.chdir(before)
  const { code, stderr } = await user.try([])
  t.equal(code, 2, 'a missing command ends with 2')
  t.match(stderr, /Usage: knocklib/)
})
