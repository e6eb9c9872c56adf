// What a table says of itself: written, read, and refused if it has an unexpected form.
import t from 'tap'
import { renderKnock } from '../api/render.js'
import { buildAutomaton } from '../automaton/build.js'
import { validateSpec } from '../spec/validate.js'
import {
  aboutComments,
  aboutElements,
  digestCommands,
  digestOf,
  isOurs,
  parseAbout,
} from './about.js'
import { parseListing } from './listing.js'

const SPEC = {
  doors: [
    {
      name: 'ssh',
      service: ['tcp/22', 'tcp/2222-2230'],
      knock: { type: 'sequence' as const, steps: ['tcp/7000', 'udp/8000'] },
      open: { for: '30s' },
    },
    {
      name: 'door',
      service: 'udp',
      knock: [
        { type: 'sequence' as const, steps: ['tcp/7001'] },
        { type: 'rate' as const, port: 'udp/7002', hits: 3, max: '5s' },
      ],
      close: { type: 'sequence' as const, steps: ['tcp/7003'] },
      open: { for: '60s', connections: 3 },
    },
    {
      name: 'party',
      service: 'tcp/80',
      knock: { type: 'sequence' as const, oneTime: [['tcp/7004'], ['tcp/7005', 'tcp/7006']] },
      open: { for: '1h', scope: 'everyone' as const },
    },
    {
      name: 'vpn',
      service: 'tcp/1194',
      knock: {
        type: 'token' as const,
        port: 'udp/7007',
        period: '1h',
        users: ['ann', 'bob'].map((name) => ({ name, secretFile: `/etc/${name}` })),
      },
      open: { for: '1h' },
    },
    {
      name: 'cut',
      service: 'tcp/443',
      knock: { type: 'rhythm' as const, port: 'tcp/443', counts: [1, 2], window: '2s' },
      open: { for: '1h', established: 'cut' as const },
    },
  ],
}

const DIGEST = '0123456789abcdef0123456789abcdef'
const automaton = buildAutomaton(validateSpec(SPEC))

/** The comments, as they are read back of a listing. */
function listed(elem: unknown[]): readonly string[] {
  return aboutComments(parseListing({ nftables: [{ set: { name: 'about', elem } }] })) ?? []
}

t.test('the description of a table is read as written, in any order', async (t) => {
  for (const elem of [
    aboutElements(automaton, DIGEST),
    aboutElements(automaton, DIGEST).reverse(),
  ]) {
    const about = parseAbout(listed(elem))
    t.same(about?.digest, DIGEST)
    t.same(about?.doors, automaton.doors)
  }
})

t.test('the description has each door with its knocks', async (t) => {
  const about = parseAbout(listed(aboutElements(automaton, DIGEST)))
  t.same(
    about?.doors.map(({ name, knocks, connections, scope, established }) => {
      const steps = knocks.map(({ attempt, steps }) => `${attempt} ${steps}`)
      return [name, steps.join(', '), connections, scope, established]
    }),
    [
      ['ssh', 'open 2', undefined, 'source', 'keep'],
      ['door', 'open 1, open2 3', 3, 'source', 'keep'],
      ['party', 'open 1, open2 2', undefined, 'everyone', 'keep'],
      ['vpn', 'open 1', undefined, 'source', 'keep'],
      ['cut', 'open 3', 1, 'source', 'cut'],
    ],
  )
})

t.test('the description has the users of tokens, and no impossible names', async (t) => {
  const comments = listed(aboutElements(automaton, DIGEST))
  const vpn = parseAbout(comments)?.doors.find(({ name }) => name === 'vpn')
  t.same(vpn?.knocks, [{ attempt: 'open', steps: 1, users: ['ann', 'bob'] }])
  for (const user of ['a\nb', '', '../x', 'ann bob', '\u009b']) {
    const altered = comments.map((comment) => comment.replace(/ bob$/, () => ` ${user}`))
    t.notOk(parseAbout(altered), JSON.stringify(user))
  }
})

t.test('a user has an address of mail as a name, and an end', async (t) => {
  const users = ['ana.b@example.org', '__proto__', `1${'x'.repeat(63)}`].map((name, index) => {
    return { name, secretFile: `/etc/${index}`, ...(index < 2 && { until: `2027-01-3${index}` }) }
  })
  const knock = { type: 'token', port: 'udp/6000', period: 30, users }
  const door = { name: 'd'.repeat(32), service: 'tcp/22', knock, open: { for: 30 } }
  const built = buildAutomaton(validateSpec({ doors: [door] }))
  const comments = listed(aboutElements(built, DIGEST))
  t.ok(comments.every((comment) => comment.length < 128))
  t.same(parseAbout(comments)?.doors, built.doors)
  t.same(Object.entries(built.doors[0]?.knocks[0]?.until ?? {}), [
    ['ana.b@example.org', Date.parse('2027-01-31T00:00:00Z') / 1000],
    ['__proto__', Date.parse('2027-02-01T00:00:00Z') / 1000],
  ])
  const rules = built.chains.flatMap((chain) => [...chain.rules])
  t.ok(
    rules.every(({ comment }) => comment.length < 128),
    'also those of rules',
  )
})

t.test('the description has the hook and interfaces if the spec names interfaces', async (t) => {
  t.notOk(parseAbout(listed(aboutElements(automaton, DIGEST)))?.place)
  const interfaces = ['eth0', 'br-lan.5', 'wg*']
  const placed = buildAutomaton(validateSpec({ ...SPEC, interfaces }))
  const about = parseAbout(listed(aboutElements(placed, DIGEST)))
  t.strictSame(about?.place, { hook: 'input', interfaces })
  t.same(about?.doors, automaton.doors)
})

t.test('the description has the interfaces of doors', async (t) => {
  const [first, ...others] = SPEC.doors
  const interfaces = ['eth0', 'wg*']
  const placed = buildAutomaton(
    validateSpec({ ...SPEC, doors: [{ ...first, interfaces }, ...others] }),
  )
  const comments = listed(aboutElements(placed, DIGEST))
  const about = parseAbout(comments)
  t.strictSame(about?.doors[0]?.place, { hook: 'input', interfaces })
  t.same(about?.doors, placed.doors)
  for (const wrong of ['a b', 'eth0 nowhere', '', 'eth0\n input']) {
    const altered = comments.map((comment) => comment.replace(/ eth0 input$/, () => ` ${wrong}`))
    t.notOk(parseAbout(altered), JSON.stringify(wrong))
  }
})

t.test('the description is part of the ruleset', async (t) => {
  const { nftables } = renderKnock(SPEC)
  const elem = nftables.flatMap((command) =>
    'add' in command && 'set' in command.add && command.add.set.name === 'about'
      ? (command.add.set.elem ?? [])
      : [],
  )
  t.same(parseAbout(listed(elem))?.doors, automaton.doors)
})

t.test('the digest is the same only for the same commands', async (t) => {
  const { nftables } = renderKnock(SPEC)
  t.match(digestCommands(nftables), /^[0-9a-f]{32}$/)
  t.equal(digestCommands(nftables), digestCommands(structuredClone(nftables)))
  t.not(digestCommands(nftables), digestCommands(nftables.slice(1)))
})

t.test('each document of a table has a digest', async (t) => {
  t.match(digestOf(renderKnock(SPEC)), /^[0-9a-f]{32}$/)
  t.throws(() => digestOf({ nftables: [] }), { message: /^unreachable/ })
})

t.test('recognises tables of knocklib in any layout', async (t) => {
  t.ok(isOurs([`knocklib 1 ${DIGEST}`]))
  t.ok(isOurs([`knocklib 99 ${DIGEST}`, 'whatever']))
  for (const comments of [undefined, [], [''], ['knocklib'], [`Knocklib 1 ${DIGEST}`]]) {
    t.notOk(isOurs(comments), JSON.stringify(comments))
  }
  t.notOk(isOurs(['theirs', `knocklib 1 ${DIGEST}`]), 'only the first comment counts')
})

t.test('other layouts and impossible words are refused', async (t) => {
  const [first = '', ...rest] = listed(aboutElements(automaton, DIGEST))
  t.ok(parseAbout([first, ...rest]))
  const strange = [
    [],
    rest,
    [`knocklib 99 ${DIGEST}`, ...rest],
    [`knocklib 1 ${DIGEST}`, 'door ssh 2 30', 'service ssh tcp/22'],
    [first, ...rest, 'window ssh 5'],
    [first, ...rest, 'interface eth0'],
    [first, ...rest, 'interface eth0 output'],
    [first, ...rest, 'interface eth0 input', 'interface eth1 forward'],
    [first, 'door ssh two 0 source keep'],
    [first, 'door ssh 30 0 nobody keep'],
    [first, 'door ssh 30 0 source never'],
    [first, 'door ssh 30 0 source'],
    [first, 'knock ssh open 2'],
    [first, 'door ssh 30 0 source keep', 'knock ssh open two'],
    [first, 'door ssh 30 0 source keep', 'service ssh'],
    [first, 'service ssh tcp/22'],
    [first, ...rest, ''],
    // What no spec can have must not reach a terminal.
    ...[
      'service ssh tcp/22\n  nobody is let in',
      'service ssh any\u009b2J',
      'service ssh tcp/22 any',
      'service ssh whatever',
      'door a\u009b31m 30 0 source keep',
      'door a\nb 30 0 source keep',
      `door ${'a'.repeat(33)} 30 0 source keep`,
      'door b 30 0 source keep more',
      'door b 99999999999 0 source keep',
      'knock ssh open\u001b 2 0123456789abcdef',
      'knock ssh close 2 0123456789abcdef',
      'knock ssh open3 2 0123456789ABCDEF\n',
      'close ssh \u009b',
      'close ssh 0123456789abcdef open2',
      'close ssh 0123456789abcdef close2 more',
      'log 5 \u009b',
      'log 5\n',
    ].map((comment) => [first, ...rest, comment]),
  ]
  for (const comments of strange) t.equal(parseAbout(comments), undefined, comments.join('; '))
})
