// Random choices → knocks of every kind, as in a spec. Pure.
import fc from 'fast-check'

/** The durations to choose from in seconds. They are short for traces played in real time. */
export interface Scale {
  readonly stepTimeout: readonly number[]
  readonly timeout: readonly number[]
  readonly open: readonly number[]
  /** `min` and `max` of rates. */
  readonly pace: readonly (readonly [min: number, max: number])[]
  readonly window: readonly number[]
  readonly penalty: readonly number[]
  readonly ban: readonly number[]
  /** The period of rotations; then that of tokens. */
  readonly every: number
  readonly period: readonly number[]
  /** How far ahead tokens are loaded. */
  readonly horizon: string
  /** When users may come, and from when on no more. */
  readonly hours: readonly string[]
  readonly until: readonly string[]
}

export const KINDS = ['sequence', 'one-time', 'rotation', 'rate', 'rhythm', 'token'] as const
export type Kind = (typeof KINDS)[number]

/** The content of each secret by its file's path. */
export const SECRETS: ReadonlyMap<string, Uint8Array> = new Map(
  ['alice', 'bob', 'ports'].map((name) => [
    `/etc/knock/${name}`,
    Buffer.from(`${name}'s own secret`),
  ]),
)

const FLAGS = ['syn', 'fin', '!syn', 'ack', 'syn,!ack', 'syn,ack', '!syn,!ack,!rst,!fin', 'rst,ack']
const tcp = fc.integer({ min: 7000, max: 7003 })
const udp = fc.integer({ min: 7000, max: 7002 })
const length = fc.constantFrom(0, 10, 24)

const icmp = fc.constantFrom('icmp' as const, 'icmpv6' as const)

const step = fc.oneof(
  { weight: 8, arbitrary: tcp.map((port) => `tcp/${port}`) },
  { weight: 4, arbitrary: udp.map((port) => `udp/${port}`) },
  { weight: 2, arbitrary: icmp },
  {
    weight: 2,
    arbitrary: fc.record({
      protocol: fc.constant('tcp'),
      port: tcp,
      flags: fc.constantFrom(...FLAGS),
    }),
  },
  { weight: 1, arbitrary: fc.record({ protocol: fc.constant('udp'), port: udp, length }) },
  { weight: 1, arbitrary: fc.record({ protocol: icmp, length }) },
)

const steps = (most: number) => fc.array(step, { minLength: 1, maxLength: most })

const times = (scale: Scale) => ({
  type: fc.constant('sequence'),
  stepTimeout: fc.constantFrom(...scale.stepTimeout),
  timeout: fc.constantFrom(...scale.timeout),
  reset: fc.constantFrom('any', 'knock-ports', 'never'),
})

export const sequence = (scale: Scale, most: number) =>
  fc.record(
    { ...times(scale), steps: steps(most) },
    { requiredKeys: ['type', 'steps', 'stepTimeout'] },
  )

const oneTime = (scale: Scale) =>
  fc.record(
    { ...times(scale), oneTime: fc.array(steps(3), { minLength: 1, maxLength: 3 }) },
    { requiredKeys: ['type', 'oneTime', 'stepTimeout'] },
  )

/** Makes a rotation. `place`: its number among all, so that each has a range of its own. */
const rotation = (scale: Scale, place: number) =>
  fc.record(
    {
      ...times(scale),
      rotate: fc.record({
        secretFile: fc.constant('/etc/knock/ports'),
        every: fc.constant(scale.every),
        steps: fc.integer({ min: 2, max: 4 }),
        protocol: fc.constantFrom('tcp', 'udp'),
        ports: fc.constant(`${20000 + 300 * place}-${20255 + 300 * place}`),
        horizon: fc.constant('1h'),
      }),
    },
    { requiredKeys: ['type', 'rotate', 'stepTimeout'] },
  )

const PACED_PORTS = ['tcp/7100', 'tcp/7101', 'udp/7100', 'tcp/7000', 'udp/7000']

const rate = (scale: Scale, own: readonly string[]) =>
  fc
    .record(
      {
        port: fc.constantFrom(...PACED_PORTS, ...own, ...own, ...own),
        hits: fc.integer({ min: 1, max: 4 }),
        pace: fc.constantFrom(...scale.pace),
        penalty: fc.constantFrom(...scale.penalty),
      },
      { requiredKeys: ['port', 'hits', 'pace'] },
    )
    .map(({ pace: [min, max], ...rest }) => ({ type: 'rate', min, max, ...rest }))

const rhythm = (scale: Scale, own: readonly string[]) =>
  fc
    .record(
      {
        ports: fc.uniqueArray(fc.constantFrom(...PACED_PORTS, ...own, ...own, ...own), {
          minLength: 1,
          maxLength: 3,
        }),
        counts: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 2, maxLength: 3 }),
        window: fc.constantFrom(...scale.window),
        penalty: fc.constantFrom(...scale.penalty),
      },
      { requiredKeys: ['ports', 'counts', 'window'] },
    )
    .map(({ ports, ...rest }) => {
      const [port] = ports
      return { type: 'rhythm', ...(ports.length === 1 ? { port } : { ports }), ...rest }
    })

/** Makes a token's knock. `place`: its number among all, so that each has a port of its own. */
const token = (scale: Scale, place: number) =>
  fc.record(
    {
      type: fc.constant('token'),
      port: fc.constant(`udp/${7200 + place}`),
      carrier: fc.constantFrom('udp', 'stun', 'dns'),
      period: fc.constantFrom(...scale.period),
      drift: fc.constantFrom(0, 5, 60),
      horizon: fc.constant(scale.horizon),
      users: fc
        .tuple(user(scale, 'alice', 'alice'), user(scale, 'bob', 'bob.b-1@example.org'))
        .chain((both) => fc.subarray(both, { minLength: 1 })),
    },
    { requiredKeys: ['type', 'port', 'period', 'horizon', 'users'] },
  )

/** Blocks with some of the sources of traces in them. */
const FROM = [
  ['10.99.0.0/16'],
  ['10.99.0.1', 'fd00:99::1', 'fd00:99::1:1'],
  ['10.0.0.0/8', '10.99.0.2', 'fd00:99::/112'],
  '::/0',
]

const user = (scale: Scale, file: string, name: string) =>
  fc.record(
    {
      name: fc.constant(name),
      secretFile: fc.constant(`/etc/knock/${file}`),
      ...rarely({
        from: fc.constantFrom(...FROM),
        hours: fc.constantFrom(...scale.hours),
        zone: fc.constantFrom('UTC', 'Europe/Berlin', 'America/Los_Angeles'),
        until: fc.constantFrom(...scale.until),
      }),
    },
    { requiredKeys: ['name', 'secretFile'] },
  )

/** Makes optional parts, each left out four times of five. */
export function rarely(
  parts: Record<string, fc.Arbitrary<unknown>>,
): Record<string, fc.Arbitrary<unknown>> {
  return Object.fromEntries(
    Object.entries(parts).map(([key, value]) => [
      key,
      fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value }),
    ]),
  )
}

/** Makes a knock of a kind. `own`: ports of the door's service that can be knock ports, too. */
export function knockOf(
  kind: Kind,
  scale: Scale,
  place: number,
  own: readonly string[],
): fc.Arbitrary<object> {
  switch (kind) {
    case 'sequence':
      return sequence(scale, 4)
    case 'one-time':
      return oneTime(scale)
    case 'rotation':
      return rotation(scale, place)
    case 'rate':
      return rate(scale, own)
    case 'rhythm':
      return rhythm(scale, own)
    case 'token':
      return token(scale, place)
  }
}
