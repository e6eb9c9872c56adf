// Random choices → spec documents that use every part of the language. Pure; validateSpec has yet to accept them.
import fc from 'fast-check'
import { SpecError } from '../lib/errors.js'
import type { ValidSpec } from '../lib/spec/model.js'
import { validateSpec } from '../lib/spec/validate.js'

export const SERVERS = ['10.77.0.1', '10.77.0.3', 'fd00:77::1', 'fd00:77::3'] as const

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

const mode = fc.constantFrom('any', 'knock-ports', 'never')

/** How long things last: short ones for traces that are played in real time. */
export interface Scale {
  readonly stepTimeout: readonly number[]
  readonly timeout: readonly number[]
  readonly open: readonly number[]
}

const sequence = (scale: Scale, most: number) =>
  fc.record(
    {
      type: fc.constant('sequence'),
      steps: fc.array(step, { minLength: 1, maxLength: most }),
      stepTimeout: fc.constantFrom(...scale.stepTimeout),
      timeout: fc.constantFrom(...scale.timeout),
      reset: mode,
    },
    { requiredKeys: ['type', 'steps', 'stepTimeout'] },
  )

const PORT_SERVICES = [
  ['tcp/22', 'tcp/8000-8010', ['tcp/25', 'udp/25']],
  ['tcp/80', 'udp/53', 'tcp/8020-8022'],
  [['tcp/443', 'udp/443'], 'udp/8000-8010', 'tcp/22'],
]
const WHOLE_SERVICES = ['tcp', 'udp', 'any', ['tcp', 'udp']]

const service = (index: number) =>
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.constantFrom(...(PORT_SERVICES[index % 3] as (string | string[])[])),
    },
    { weight: 1, arbitrary: fc.constantFrom(...WHOLE_SERVICES) },
  )

const address = fc.constantFrom<string | string[]>(
  '10.77.0.1',
  ['10.77.0.1', 'fd00:77::1'],
  ['10.77.0.2/31', 'fd00:77::3'],
  'fd00:77::/64',
)

const door = (scale: Scale, index: number) =>
  fc.record(
    {
      name: fc.constant(`d${index}`),
      service: service(index),
      address,
      knock: sequence(scale, 4),
      close: sequence(scale, 3),
      open: fc.record(
        {
          for: fc.constantFrom(...scale.open),
          connections: fc.integer({ min: 1, max: 3 }),
          refresh: fc.boolean(),
        },
        { requiredKeys: ['for'] },
      ),
    },
    { requiredKeys: ['name', 'service', 'knock', 'open'] },
  )

const guard = fc.record(
  {
    trusted: fc.constantFrom(['10.99.9.0/24'], ['10.99.9.0/24', 'fd00:99::9:0/112']),
    ignore: fc.subarray(['tcp/5001', 'udp/5000-5001', 'tcp/8015-8030'], { minLength: 1 }),
  },
  { requiredKeys: [] },
)

export const document = (scale: Scale) =>
  fc.record(
    {
      doors: fc
        .integer({ min: 1, max: 3 })
        .chain((count) =>
          fc.tuple(...Array.from({ length: count }, (_, index) => door(scale, index))),
        ),
      guard,
      interfaces: fc.constantFrom(['eth0'], ['eth*', 'lo']),
    },
    { requiredKeys: ['doors'] },
  )

/** Specs of one to three doors; documents that contradict themselves are passed over. */
export const spec = (scale: Scale): fc.Arbitrary<ValidSpec> =>
  document(scale)
    .map((candidate) => accept(candidate))
    .filter((valid) => valid !== undefined)

/** Specs of so many doors, each with an opening and a closing knock, that attempts are reset in groups. */
export const manyDoors = (scale: Scale): fc.Arbitrary<ValidSpec> =>
  fc
    .array(fc.tuple(sequence(scale, 3), sequence(scale, 3)), { minLength: 36, maxLength: 48 })
    .map((knocks) =>
      accept({
        doors: knocks.map(([knock, close], index) => ({
          name: `d${index}`,
          service: `tcp/${100 + index}`,
          knock: { ...knock, reset: index % 3 === 2 ? 'knock-ports' : 'any' },
          close: { ...close, reset: index % 8 === 7 ? 'knock-ports' : 'any' },
          open: { for: 60 },
        })),
      }),
    )
    .filter((valid) => valid !== undefined)

function accept(candidate: unknown): ValidSpec | undefined {
  try {
    return validateSpec(candidate)
  } catch (error) {
    if (error instanceof SpecError) return undefined
    throw error
  }
}
