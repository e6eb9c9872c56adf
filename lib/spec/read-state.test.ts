// Saved states → valid ones, or all their problems.
import t from 'tap'
import type { StateError } from '../errors.js'
import { validateState } from './read-state.js'

const STATE = {
  version: 1,
  table: 'knock',
  saved: '2026-11-21T10:00:00.000Z',
  grants: [{ door: 'ssh', source: '203.0.113.7', until: '2026-11-21T10:00:25Z', used: 1 }],
  bans: [{ source: '2001:DB8:0::7', until: '2026-11-21T10:10:00.5Z' }],
  tokens: [
    { door: 'ssh', token: '00112233445566778899aabbccddeeff', until: '2027-01-01T00:00:00Z' },
  ],
  sequences: [{ door: 'ssh', digest: '0123456789ab' }],
}

const problemsOf = (document: unknown): string[] => {
  try {
    validateState(document)
    return []
  } catch (error) {
    return (error as StateError).problems.map(({ path, message }) => `${path} ${message}`)
  }
}

t.test('a valid state is accepted, with addresses as nft lists them', async (t) => {
  const before = structuredClone(STATE)
  t.strictSame(validateState(STATE), {
    ...STATE,
    bans: [{ source: '2001:db8::7', until: '2026-11-21T10:10:00.5Z' }],
  })
  t.strictSame(STATE, before)
  const everyone = { door: 'all', source: 'everyone', until: '2026-11-21T10:00:25Z' }
  t.strictSame(problemsOf({ ...STATE, grants: [everyone] }), [])
})

const SOURCE = 'an IPv4 or IPv6 address or a CIDR block'

t.test('all problems are reported at once, in order', async (t) => {
  const [grant] = STATE.grants
  const [token] = STATE.tokens
  const wrong = {
    version: 2,
    table: '9x',
    saved: '2026-02-31T10:00:00Z',
    grants: [{ ...grant, source: '203.0.113.7/24' }, { ...grant, used: -1 }, null, { door: 'a' }],
    bans: [
      { source: 'everyone', until: 'soon' },
      { source: 'everyone', until: '2026-11-21T10:00:25Z' },
    ],
    tokens: [
      { ...token, token: '0x12' },
      { ...token, extra: 1 },
    ],
    sequences: {},
    more: [],
  }
  t.strictSame(problemsOf(wrong), [
    '/version expected 1, the only version there is, got 2',
    '/table expected a name of 1 to 32 letters, digits and _, not starting with a digit, got "9x"',
    '/saved expected a time in UTC such as "2026-11-21T10:30:00.000Z", got "2026-02-31T10:00:00Z"',
    `/grants/0/source expected ${SOURCE}, or "everyone", got "203.0.113.7/24"`,
    '/grants/1/used expected a number of connections from 0, got -1',
    '/grants/2 expected an object with door, source and until, got null',
    `/grants/3/source expected ${SOURCE}, or "everyone", got nothing`,
    '/grants/3/until expected a time in UTC such as "2026-11-21T10:30:00.000Z", got nothing',
    '/bans/0/source expected an IPv4 or IPv6 address or a CIDR block, got "everyone"',
    '/bans/0/until expected a time in UTC such as "2026-11-21T10:30:00.000Z", got "soon"',
    '/bans/1/source expected an IPv4 or IPv6 address or a CIDR block, got "everyone"',
    '/tokens/0/token expected a token as 32 hex digits in small letters, got "0x12"',
    '/tokens/1/extra expected no such key, got 1',
    '/sequences expected a list of used sequences, got {}',
    '/more expected no such key, got []',
  ])
})

t.test('expiry times too far away and duplicate entries are refused', async (t) => {
  const [grant] = STATE.grants
  const [ban] = STATE.bans
  const [token] = STATE.tokens
  const [sequence] = STATE.sequences
  const until = '2028-01-01T00:00:00Z'
  t.strictSame(
    problemsOf({
      ...STATE,
      grants: [
        { ...grant, until },
        { ...grant, source: '203.0.113.8' },
        { ...grant, source: '::ffff:203.0.113.8' },
      ],
      bans: [{ ...ban, until }, ban],
      tokens: [{ ...token, until }, token],
      sequences: [sequence, sequence],
    }).map((line) => line.replace(/, got .*/, '')),
    [
      '/grants/0/until expected a time at most 365d after /saved',
      '/grants/2 expected each entry once',
      '/bans/0/until expected a time at most 365d after /saved',
      '/bans/1 expected each entry once',
      '/tokens/0/until expected a time at most 120d after /saved',
      '/tokens/1 expected each entry once',
      '/sequences/1 expected each entry once',
    ],
  )
})

t.test('documents of another form are refused', async (t) => {
  const expected =
    'expected an object with version, table, saved, grants, bans, tokens and sequences'
  for (const garbage of [null, undefined, 1, 'state', [], [STATE]]) {
    t.match(problemsOf(garbage)[0], ` ${expected}, got `, JSON.stringify(garbage))
  }
  t.equal(problemsOf({}).length, 7)
  const many = { ...STATE, bans: Array.from({ length: 100_000 }, () => null) }
  t.equal(problemsOf(many).length, 100_000)
  const lines = (() => {
    try {
      return validateState(many)
    } catch (error) {
      return (error as Error).message.split('\n')
    }
  })()
  t.equal((lines as string[]).length, 21)
  t.match((lines as string[]).at(-1), 'and 99980 more')
})
