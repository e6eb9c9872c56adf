// Large documents → their problems, in a time that grows with the size and not with its square.
import t from 'tap'
import { SpecError } from '../errors.js'
import { validateSpec } from './validate.js'

const list = <T>(length: number, make: (index: number) => T): T[] =>
  Array.from({ length }, (_, index) => make(index))
const address = (index: number) => `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`
const door = (index: number, parts: object = {}) => ({
  name: `d${index}`,
  service: `tcp/${index + 1}`,
  knock: { type: 'sequence', steps: ['udp/60000'], reset: 'never' },
  open: { for: 30 },
  ...parts,
})

/** The seconds of processor time that validating takes, and how many problems there are. */
function measure(document: unknown): { seconds: number; problems: number } {
  const start = process.cpuUsage()
  let problems = 0
  try {
    validateSpec(document)
  } catch (error) {
    if (!(error instanceof SpecError)) throw error
    problems = error.problems.length
  }
  const { user, system } = process.cpuUsage(start)
  return { seconds: (user + system) / 1e6, problems }
}

/** Far above what a slow machine needs, and far below what comparing all with all takes. */
const MOST_SECONDS = 15

const steps = (index: number) => ({ type: 'sequence', steps: [`udp/${1000 + index}`] })
const CASES: readonly { of: string; document: unknown; problems: number }[] = [
  {
    of: '1000 doors before one port, at 30 addresses each',
    document: {
      doors: list(1000, (i) =>
        door(i, {
          service: 'tcp/22',
          knock: steps(i),
          address: list(30, (j) => address(30 * i + j)),
        }),
      ),
    },
    problems: 0,
  },
  {
    of: 'the same addresses at all of them',
    document: {
      doors: list(1000, (i) =>
        door(i, { service: 'tcp/22', knock: steps(i), address: list(30, address) }),
      ),
    },
    problems: 999,
  },
  {
    of: 'nested ranges',
    document: {
      doors: list(4096, (i) => door(i, { service: `tcp/${i + 1}-${50_000 - i}`, knock: steps(i) })),
    },
    problems: 4095,
  },
  {
    of: 'unknown keys',
    document: { doors: [door(0)], ...Object.fromEntries(list(100_000, (i) => [`k${i}`, 1])) },
    problems: 100_000,
  },
  {
    of: 'trusted addresses',
    document: { guard: { trusted: list(100_000, address) }, doors: [door(0)] },
    problems: 0,
  },
  {
    of: 'interfaces',
    document: { interfaces: list(100_000, (i) => `e${i}`), doors: [door(0)] },
    problems: 1,
  },
  {
    of: 'ignored ports',
    document: {
      guard: { ignore: list(100_000, (i) => `tcp/${(i % 65_535) + 1}`) },
      doors: [door(0)],
    },
    problems: 1,
  },
  {
    of: 'more services than all doors together may have',
    document: {
      doors: list(5, (i) => door(i, { service: list(4000, (j) => `tcp/${4000 * i + j + 1}`) })),
    },
    problems: 1,
  },
]

for (const { of, document, problems } of CASES) {
  t.test(of, async (t) => {
    const measured = measure(document)
    t.equal(measured.problems, problems)
    t.ok(measured.seconds < MOST_SECONDS, `the validation took ${measured.seconds.toFixed(2)} s`)
  })
}

t.test('a message shows a thousand problems, and the error has all', async (t) => {
  const document = { doors: [door(0)], ...Object.fromEntries(list(1500, (i) => [`k${i}`, 1])) }
  try {
    validateSpec(document)
    t.fail('it is refused')
  } catch (error) {
    t.equal((error as SpecError).problems.length, 1500)
    t.equal((error as SpecError).message.split('\n').length, 1001)
    t.match((error as SpecError).message, /\n {2}and 500 more$/)
  }
})
