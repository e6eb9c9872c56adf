// Traps that conflict with other parts of a spec → each problem at its place.
import t from 'tap'
import { door, other } from '../../integration/fixtures/specs.js'
import { SpecError } from '../errors.js'
import { notesOf } from './notes.js'
import { validateSpec } from './validate.js'

function problemsOf(document: unknown): Record<string, string> {
  try {
    validateSpec(document)
    return {}
  } catch (error) {
    if (!(error instanceof SpecError)) throw error
    return Object.fromEntries(error.problems.map(({ path, message }) => [path, message]))
  }
}

const trapsOf = (...ports: string[]) => ({ traps: { ports, for: '1h' } })

t.test('a trap has no other meaning', async (t) => {
  const doors = [
    door({ service: 'tcp/22', knock: { type: 'sequence', steps: ['tcp/7000', 'udp/7001'] } }),
    other({ service: 'tcp/80', open: { for: '1m', redirectTo: 8080 } }),
  ]
  const ports = ['tcp/20-22', 'udp/7001', 'tcp/8080', 'tcp/5000', 'tcp/30-40', 'tcp/40', 'tcp/23']
  const guard = { ...trapsOf(...ports), ignore: ['tcp/5000-5001'] }
  t.strictSame(problemsOf({ guard, doors }), {
    '/guard/traps/ports/0':
      'conflicts with /doors/0/service: a trap is no service, and this is one of ssh',
    '/guard/traps/ports/1':
      'conflicts with /doors/0/knock/steps/1: a trap is no knock port, and udp/7001 is one',
    '/guard/traps/ports/2':
      'conflicts with /doors/1/open/redirectTo: a trap is no target of a redirect',
    '/guard/traps/ports/3': 'conflicts with /guard/ignore/0: an ignored port cannot be a trap',
    '/guard/traps/ports/5': 'conflicts with /guard/traps/ports/4: the ports overlap',
  })
  t.strictSame(problemsOf({ guard: trapsOf('udp/22', 'tcp/23'), doors }), {})
  const whole = [door({ service: 'udp' })]
  t.strictSame(problemsOf({ guard: trapsOf('udp/23'), doors: whole }), {}, 'all of a protocol')
  const away = [door({ open: { for: '1m', redirectTo: '192.0.2.7:8080' } })]
  t.strictSame(
    problemsOf({ guard: trapsOf('tcp/8080'), doors: away }),
    {},
    'the port that a redirect has at another host is none here',
  )
})

t.test('next to a part of a wrong form a trap has no further problem', async (t) => {
  const doors = [door({ address: '192.0.2.1' })]
  const pathsOf = (parts: object) => Object.keys(problemsOf({ doors, ...parts }))
  t.strictSame(pathsOf({ guard: trapsOf('tcp', 'tcp/21', 'tcp/22') }), ['/guard/traps/ports/0'])
  const ignore = ['tcp', 'tcp/5000']
  t.strictSame(pathsOf({ guard: { ...trapsOf('tcp/5000'), ignore } }), ['/guard/ignore/0'])
  const place = { hook: 'forward', interfaces: 'eth0' }
  t.strictSame(pathsOf({ ...place, guard: trapsOf('tcp/23') }), ['/interfaces'])
})

t.test('a trap is not in the range of a rotation', async (t) => {
  const rotate = { secretFile: '/k', every: '1h', steps: 3, ports: '20000-20999' }
  const doors = [door({ knock: { type: 'sequence', rotate } })]
  t.strictSame(problemsOf({ guard: trapsOf('tcp/20500', 'udp/20500'), doors }), {
    '/guard/traps/ports/0':
      'conflicts with /doors/0/knock/rotate/ports: a trap is no knock port, and this range ' +
      'contains it',
  })
})

t.test('the form of traps', async (t) => {
  const doors = [door({})]
  const problems = problemsOf({ guard: { traps: { ports: ['tcp', 'icmp'], for: 0 } }, doors })
  t.strictSame(Object.keys(problems), [
    '/guard/traps/ports/0',
    '/guard/traps/ports/1',
    '/guard/traps/for',
  ])
  t.match(problemsOf({ guard: { traps: {} }, doors }), {
    '/guard/traps/ports': 'expected a list of 1 to 4096 ports and ranges, got nothing',
    '/guard/traps/for': /^expected a duration/,
  })
})

t.test('where other hosts are heard, traps need interfaces', async (t) => {
  const doors = [door({ address: '192.0.2.1' })]
  for (const hook of ['forward', 'prerouting']) {
    t.match(problemsOf({ hook, guard: trapsOf('tcp/23'), doors }), {
      '/guard/traps': /^conflicts with \/hook: ".*" sees packets of all hosts/,
    })
    const spec = { hook, interfaces: ['eth0'], guard: trapsOf('tcp/23'), doors }
    t.strictSame(problemsOf(spec), {})
  }
})

t.test('check says whom traps can ban', async (t) => {
  const notes = notesOf(validateSpec({ guard: trapsOf('tcp/23'), doors: [door({})] }))
  t.match(notes, [{ path: '/guard/traps', message: /in the name of another address/ }])
})
