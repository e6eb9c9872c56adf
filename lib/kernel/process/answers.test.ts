// A script in place of nft → the calls of it, and the results of its answers. No nft is run.
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { scriptOf } from '../../../integration/captures/nft-script.js'
import type { NftDocument } from '../../nft/document.js'
import { createNft } from '../ssh/create-nft.js'

/** Makes an nft that answers by a `case` of its arguments. `asked` returns the calls so far. */
function machine(t: Test, cases: Readonly<Record<string, string>>, given = 'cat >/dev/null') {
  const asked = join(t.testdir({}), 'asked')
  writeFileSync(asked, '')
  const rows = Object.entries(cases).map(([pattern, answer]) => `${pattern}) ${answer} ;;`)
  const script = [`echo "$*" >>'${asked}'`, given, 'case "$*" in', ...rows, 'esac'].join('\n')
  // Both files are in the same folder, because a test has only one.
  const binary = join(t.testdirName, 'nft')
  writeFileSync(binary, `#!/bin/sh\n${script}\n`)
  chmodSync(binary, 0o755)
  return { nft: createNft({ binary }), asked: () => readFileSync(asked, 'utf8').trim().split('\n') }
}

const version = (number: string) => `echo 'nftables v${number} (Old Doc Yak #3)'`
const json = (...objects: readonly object[]) => `echo '${JSON.stringify({ nftables: objects })}'`

t.test('the version, and a program that is not nft', async (t) => {
  for (const [says, found] of [
    ['nftables v1.0.6 (Lester Gooch #5)', '1.0.6'],
    ['nftables v1.1 (x)', '1.1'],
  ] as const) {
    t.equal(await machine(t, { '*': `echo '${says}'` }).nft.version(), found)
  }
  const { nft } = machine(t, { '*': 'echo busybox; echo more' })
  await t.rejects(nft.version({ operation: 'checkKnock' }), {
    code: 'nft-missing',
    message:
      /^checkKnock: this is not nft \(the option nft, .*\): it calls itself "busybox"; correct/,
  })
})

t.test('an older version begins with a file that no other user can open', async (t) => {
  const { nft, asked } = machine(t, { '*--version': version('1.0.6') }, '')
  await nft.version()
  await nft.check({ nftables: [] })
  t.strictSame(asked(), ['--version', '-c -j -f /proc/self/fd/0'])
})

t.test('a listing is what nft writes, or an error', async (t) => {
  const { nft, asked } = machine(t, {
    '*chains*': json({ chain: { name: 'a' } }),
    '*map*': 'echo "{"',
    '*set*': "echo 'Error: No such file or directory' >&2; exit 1",
  })
  t.strictSame(await nft.listChains?.(), { nftables: [{ chain: { name: 'a' } }] })
  await t.rejects(nft.list({ table: 'knock', map: 'ports' }, { operation: 'status' }), {
    name: 'ListingError',
    message: "status: map inet knock ports: nft's listing is not JSON",
    fragment: '{',
  })
  await t.rejects(nft.list({ table: 'knock', set: 'grants_ssh_4' }), {
    code: 'not-found',
    message: 'nft: set inet knock grants_ssh_4: not there',
  })
  t.strictSame(asked(), [
    '-j list chains',
    '-j list map inet knock ports',
    '-j list set inet knock grants_ssh_4',
  ])
})

t.test('without elements: a newer version lists the table', async (t) => {
  const table = { table: { family: 'inet', name: 'knock' } }
  const { nft, asked } = machine(t, { '*--version': version('1.1.3'), '*table*': json(table) })
  const query = { table: 'knock', terse: true }
  t.strictSame(await nft.list(query), { nftables: [table] })
  await nft.list(query)
  const list = '-j -t list table inet knock'
  t.strictSame(asked(), ['--version', list, list], 'its version is asked for once')
})

t.test('without elements: an older one lists all tables', async (t) => {
  const ours = [
    { table: { family: 'inet', name: 'knock' } },
    { set: { family: 'inet', table: 'knock', name: 'knock' } },
  ]
  const others = [
    { metainfo: { version: '1.0.6' } },
    { table: { family: 'inet', name: 'other' } },
    { set: { family: 'inet', table: 'other', name: 'knock' } },
  ]
  const { nft, asked } = machine(t, {
    '*--version': version('1.0.6'),
    '*ruleset*': json(...others, ...ours),
  })
  t.strictSame(await nft.list({ table: 'knock', terse: true }), { nftables: ours })
  await t.rejects(nft.list({ table: 'third', terse: true }, { operation: 'status' }), {
    code: 'not-found',
    message: 'status: table inet third: not there',
  })
  const list = '-j -t list ruleset inet'
  t.strictSame(asked(), ['--version', list, list])
})

const inet = { family: 'inet', table: 'knock' } as const
const REMOVE = { delete: { element: { ...inet, name: 'grants_ssh_4', elem: ['192.0.2.1'] } } }
const RULE = { add: { rule: { ...inet, chain: 'input', expr: [] } } }

const NOTHING =
  "echo 'internal:0:0-0: Error: Could not process rule: No such file or directory' >&2; exit 1"

t.test('after a failed change it is looked up what is missing', async (t) => {
  const apply = async (nftables: NftDocument['nftables'], cases: Record<string, string>) => {
    const { nft, asked } = machine(t, { '*--version': version('1.1.3'), ...cases })
    const error = await nft.apply({ nftables }).catch((error: unknown) => error)
    return { error, asked: asked() }
  }
  const table = json({ table: { family: 'inet', name: 'knock' } })
  const gone = await apply([REMOVE], { '*': NOTHING })
  t.match(gone.error, { code: 'not-found', message: 'nft: table inet knock: not there' })
  t.strictSame(gone.asked, ['-j -f -', '--version', '-j -t list table inet knock'])

  const element = await apply([REMOVE], { '*list*': table, '*': NOTHING })
  t.match(element.error, { code: 'not-found', message: /something that it names is not there/ })

  const both = await apply([REMOVE, RULE], { '*list*': table, '*': NOTHING })
  t.match(both.error, { code: 'not-found', message: /something that it names is not there/ })
  t.strictSame(both.asked.at(-1), '-c -j -f -', 'what it deletes is checked alone')

  const module = await apply([REMOVE, RULE], { '*list*': table, '-c*': '', '*': NOTHING })
  t.match(module.error, {
    name: 'CapabilityError',
    message: /a module of nf_tables may be missing/,
  })
  const added = await apply([RULE], { '*list*': table, '*': NOTHING })
  t.match(added.error, { name: 'CapabilityError', message: /a module of nf_tables may be missing/ })
  t.equal(added.asked.length, 3, 'a document without deletions is not checked')

  const denied = "echo 'Error: Operation not permitted' >&2; exit 1"
  const hidden = await apply([REMOVE], { '*list*': denied, '*': NOTHING })
  t.match(
    hidden.error,
    { name: 'CapabilityError' },
    'without permission to list, nothing is guessed',
  )
})

t.test('an nft that can read the document in no way', async (t) => {
  const closed = (why: string) =>
    machine(t, { '*': `echo 'Error: Could not open file "x": ${why}' >&2; exit 1` }).nft
  const operation = 'installKnock'
  await t.rejects(closed('Permission denied').apply({ nftables: [RULE] }, { operation }), {
    name: 'CapabilityError',
    message: /^installKnock: table inet knock: nft cannot read what it is given: .*SELinux/,
  })
  await t.rejects(closed('No such file or directory').apply({ nftables: [RULE] }), {
    name: 'CapabilityError',
    message: /^nft: table inet knock: .*No such file or directory.*TMPDIR/,
  })
})

t.test(
  'a network namespace that does not exist, and an nft that may not be executed',
  async (t) => {
    const binary = scriptOf(t, 'exit 0')
    t.equal(createNft({ binary }).netns, '')
    for (const netns of ['/nonexistent/blue', 'knocklib-nonexistent']) {
      const nft = createNft({ binary, netns })
      t.equal(nft.netns, netns)
      const message = new RegExp(`^nft: nft: network namespace ${netns}: nsenter: cannot open`)
      await t.rejects(nft.version(), { name: 'CapabilityError', message })
    }
    chmodSync(binary, 0o644)
    await t.rejects(createNft({ binary }).version(), {
      code: 'not-permitted',
      message: /nft may not be executed \(the option nft/,
    })
  },
)
