// The public types → what compiles and what does not. The compiler is the test; at run time only
// the examples run.
import t from 'tap'
import {
  attachKnock,
  type CheckReport,
  type Door,
  type findWarnings,
  type Grant,
  type installKnock,
  isNotFound,
  type Knock,
  type KnockEvent,
  type KnockSpec,
  type NftDocument,
  renderKnock,
  type SpecInput,
  type Status,
  sendKnock,
  type ValidSpec,
  validateSpec,
} from '../../lib/index.js'

/** Compiles if the two types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : never
const same = <A, B>(is: Same<A, B>): boolean => is

const STEPS = ['tcp/7000', 'udp/8000'] as const
const isIpv6Too: boolean | undefined = undefined

t.test(
  'a spec is written with literals, read-only lists and keys that may be undefined',
  async (t) => {
    const spec: KnockSpec = {
      hook: isIpv6Too ? 'input' : undefined,
      doors: [
        {
          name: 'ssh',
          service: ['tcp/22'] as const,
          knock: { type: 'sequence', steps: STEPS, stepTimeout: '5s' },
          open: { for: '30s', connections: undefined },
        },
      ],
    }
    const valid = validateSpec(spec)
    t.ok(same<typeof valid, ValidSpec>(true))
    const inputs: SpecInput[] = [spec, valid]
    t.same(renderKnock(inputs[0] as SpecInput), renderKnock(inputs[1] as SpecInput))
    t.ok(same<ReturnType<typeof renderKnock>, NftDocument>(true))
  },
)

t.test('what is wrong does not compile', async (t) => {
  const door = { name: 'ssh', service: 'tcp/22', open: { for: '30s' } }
  // @ts-expect-error: no such kind
  const kind: KnockSpec = { doors: [{ ...door, knock: { type: 'morse' } }] }
  // @ts-expect-error: a rate has hits
  const rate: KnockSpec = { doors: [{ ...door, knock: { type: 'rate', port: 'tcp/22', max: 5 } }] }
  // @ts-expect-error: no such key
  const key: KnockSpec = { doors: [], tabel: 'knock' }
  // @ts-expect-error: a copy of a valid spec is not known to be one, and a spec is no valid spec
  const valid: ValidSpec = key
  for (const spec of [kind, rate, key, valid]) t.throws(() => validateSpec(spec))
})

t.test('calls take and give what they say', async (t) => {
  t.ok(same<ReturnType<typeof installKnock>, Promise<Knock>>(true))
  t.ok(same<ReturnType<Knock['door']>, Door>(true))
  t.ok(same<ReturnType<Door['grants']>, Promise<Grant[]>>(true))
  t.ok(same<ReturnType<Knock['status']>, Promise<Status>>(true))
  t.ok(same<Awaited<ReturnType<typeof findWarnings>>, CheckReport['warnings']>(true))
  // @ts-expect-error: a time, or nothing
  const wrong = () => attachKnock({ table: 5 })
  // @ts-expect-error: a token has no steps
  const mixed = () => sendKnock('host', { token: { steps: STEPS } })
  t.type(wrong, 'function')
  t.type(mixed, 'function')
})

t.test('events and errors are reported apart by their literals', async (t) => {
  const nameOf = (event: KnockEvent): string =>
    event.event === 'granted' ? `${event.door} ${event.source} ${event.by}` : event.event
  const time = '2026-11-28T12:00:00.000Z'
  t.equal(nameOf({ time, event: 'overrun' }), 'overrun')
  const error: unknown = new Error('none')
  t.equal(isNotFound(error) ? error.code : 'another', 'another')
})
