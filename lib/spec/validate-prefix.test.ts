// The blocks that count as one source, as a user writes them → valid ones, or problems.
import t from 'tap'
import { SpecError } from '../errors.js'
import { validateSpec } from './validate.js'

const specOf = (open: object, guard?: object) => ({
  ...(guard && { guard }),
  doors: [
    {
      name: 'ssh',
      service: 'tcp/22',
      knock: { type: 'sequence', steps: ['tcp/7000'] },
      open: { for: 30, ...open },
    },
  ],
})

function problemsOf(document: object): string[] {
  try {
    validateSpec(document)
    return []
  } catch (error) {
    if (!(error instanceof SpecError)) throw error
    return error.problems.map(({ path, message }) => `${path} ${message}`)
  }
}

t.test('either family may be left out, and all bits are no prefix', async (t) => {
  const read = (prefix: object) => {
    const { doors, guard } = validateSpec(specOf({ prefix }, { prefix }))
    t.same(guard.prefix, doors[0]?.open.prefix)
    return guard.prefix
  }
  t.same(read({ ipv4: 24, ipv6: 64 }), { 4: 24, 6: 64 })
  t.same(read({ ipv4: 24 }), { 4: 24, 6: 128 })
  t.same(read({ ipv6: 56 }), { 4: 32, 6: 56 })
  t.equal(read({ ipv4: 32, ipv6: 128 }), undefined)
  t.same(validateSpec(specOf({ prefix: { ipv4: 32 } })), validateSpec(specOf({})), 'as without')
})

t.test('nonsense is refused, each with its place', async (t) => {
  const ipv4 = 'expected a prefix length from 8 to 32, since no single network has more than a /8'
  const ipv6 = 'expected a prefix length from 32 to 128, since a /32 is a whole provider'
  const problems = problemsOf(
    specOf({ prefix: { ipv4: 7, ipv6: '64' } }, { prefix: { ipv4: 24.5, ipv6: 129 } }),
  )
  t.strictSame(problems, [
    `/guard/prefix/ipv4 ${ipv4}, got 24.5`,
    `/guard/prefix/ipv6 ${ipv6}, got 129`,
    `/doors/0/open/prefix/ipv4 ${ipv4}, got 7`,
    `/doors/0/open/prefix/ipv6 ${ipv6}, got "64"`,
  ])
  for (const prefix of [{}, 24, [24, 64]]) {
    const got = JSON.stringify(prefix)
    t.strictSame(problemsOf(specOf({ prefix })), [
      `/doors/0/open/prefix expected an object with ipv4 or ipv6, got ${got}`,
    ])
  }
})

t.test('a grant for everyone has no block', async (t) => {
  t.strictSame(problemsOf(specOf({ prefix: { ipv4: 24 }, scope: 'everyone' })), [
    '/doors/0/open/prefix conflicts with /doors/0/open/scope: a grant for everyone has no source',
  ])
  t.strictSame(problemsOf(specOf({ prefix: { ipv4: 32 }, scope: 'everyone' })), [])
})
