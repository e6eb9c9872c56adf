// Random choices → spec documents that use every part of the language. Pure; validateSpec may
// refuse some.
import fc from 'fast-check'
import { SpecError } from '../../lib/errors.js'
import type { Hook, ValidSpec } from '../../lib/spec/model/model.js'
import { validateSpec } from '../../lib/spec/validate.js'
import { KINDS, type Kind, knockOf, rarely, type Scale, sequence } from './arbitrary-knock.js'
import { interfaces, place } from './arbitrary-place.js'

export const SERVERS = ['10.77.0.1', '10.77.0.3', 'fd00:77::1', 'fd00:77::3'] as const

const PORT_SERVICES = [
  ['tcp/22', 'tcp/8000-8010', ['tcp/25', 'udp/25']],
  ['tcp/80', 'udp/53', 'tcp/8020-8022'],
  [['tcp/443', 'udp/443'], 'udp/8000-8010', 'tcp/22'],
]
const WHOLE_SERVICES = ['tcp', 'udp', 'any', ['tcp', 'udp'], 'protocol/vrrp', ['any', 'protocol/4']]

type Service = string | readonly string[]

const service = (index: number) =>
  fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...(PORT_SERVICES[index % 3] as Service[])) },
    { weight: 1, arbitrary: fc.constantFrom(...WHOLE_SERVICES) },
  )

/** Returns the ports of a service that can be knock ports, too. */
const portsOf = (service: Service): string[] =>
  [service].flat().flatMap((one) => (one.includes('/') ? [one.replace(/-.*$/, '')] : []))

const address = fc.constantFrom<string | string[]>(
  '10.77.0.1',
  ['10.77.0.1', 'fd00:77::1'],
  ['10.77.0.2/31', 'fd00:77::3'],
  'fd00:77::/64',
)

/** Blocks in which the traces of one plan stay apart, with one address or with several. */
export const prefix = fc.record(
  { ipv4: fc.constantFrom(24, 30, 31, 32), ipv6: fc.constantFrom(112, 126, 127, 128) },
  { requiredKeys: [] },
)

const open = (scale: Scale, index: number) =>
  fc.record(
    {
      for: fc.constantFrom(...scale.open),
      connections: fc.oneof(
        { weight: 4, arbitrary: fc.integer({ min: 1, max: 3 }) },
        { weight: 1, arbitrary: fc.constant('any') },
      ),
      refresh: fc.constantFrom(false, true, 'connections', 'traffic', 'traffic'),
      ...rarely({ scope: fc.constant('everyone') }),
      ...rarely({ established: fc.constant('cut') }),
      ...rarely({ redirectTo: fc.constant(9000 + index) }),
      ...rarely({ mark: fc.constant(7) }),
      ...rarely({ prefix }),
    },
    { requiredKeys: ['for'] },
  )

/** Makes one knock, or several of which any opens the door. */
function knocks(scale: Scale, index: number, own: readonly string[], kinds: readonly Kind[]) {
  const one = (slot: number) =>
    fc.constantFrom(...kinds).chain((kind) => knockOf(kind, scale, 3 * index + slot, own))
  return fc.oneof(
    { weight: 3, arbitrary: one(0) },
    { weight: 1, arbitrary: fc.tuple(one(0), one(1)) },
    { weight: 1, arbitrary: fc.tuple(one(0), one(1), one(2)) },
  )
}

/** Makes one sequence that closes, or a list. */
const closing = (scale: Scale) =>
  fc.oneof(
    { weight: 2, arbitrary: sequence(scale, 3) },
    { weight: 1, arbitrary: fc.array(sequence(scale, 3), { minLength: 1, maxLength: 3 }) },
  )

const door = (scale: Scale, index: number, kinds: readonly Kind[]) =>
  service(index).chain((service) =>
    fc.record(
      {
        name: fc.constant(`d${index}`),
        service: fc.constant(service),
        address,
        ...rarely({ interfaces }),
        knock: knocks(scale, index, portsOf(service), kinds),
        close: closing(scale),
        open: open(scale, index),
      },
      { requiredKeys: ['name', 'service', 'knock', 'open'] },
    ),
  )

/** A door of any kind, before services that no other door of these files has. */
export const otherDoor = (scale: Scale) => door(scale, 2, KINDS)

interface Door {
  readonly service: Service
  readonly address?: string | string[]
  readonly interfaces?: string[] | undefined
  readonly open: object
}

/** Sometimes gives the last door the service of the first, and lets it open for everyone. */
const withTwin = (doors: readonly Door[]): readonly object[] => {
  const [first, ...others] = doors
  const twin = others.at(-1)
  if (!first || !twin) return doors
  const { address: _, interfaces: _own, ...rest } = twin
  const shared = {
    ...(first.address !== undefined && { address: first.address }),
    ...(first.interfaces && { interfaces: first.interfaces }),
  }
  const open = { ...twin.open, scope: 'everyone' }
  return [...doors.slice(0, -1), { ...rest, service: first.service, ...shared, open }]
}

const doors = (scale: Scale, kinds: readonly Kind[]) =>
  fc
    .integer({ min: 1, max: 3 })
    .chain((count) =>
      fc.tuple(
        fc.nat(7),
        fc.tuple(...Array.from({ length: count }, (_, index) => door(scale, index, kinds))),
      ),
    )
    .map(([turn, doors]) => (turn === 0 ? withTwin(doors as Door[]) : doors))

export const guard = (scale: Scale) =>
  fc.record(
    {
      trusted: fc.constantFrom(['10.99.9.0/24'], ['10.99.9.0/24', 'fd00:99::9:0/112']),
      ignore: fc.subarray(['tcp/5001', 'udp/5000-5001', 'tcp/8015-8030'], { minLength: 1 }),
      ...rarely({
        ban: fc.record({
          after: fc.integer({ min: 1, max: 3 }),
          within: fc.constantFrom(...scale.ban),
          for: fc.constantFrom(...scale.ban),
        }),
        traps: fc.record({
          ports: fc.subarray(['tcp/5000', 'tcp/5002-5003', 'udp/5002'], { minLength: 1 }),
          for: fc.constantFrom(...scale.ban),
        }),
      }),
      ...rarely({ prefix }),
    },
    { requiredKeys: [] },
  )

export interface Choice {
  readonly scale: Scale
  /** Default: all. */
  readonly kinds?: readonly Kind[]
  readonly hooks?: readonly Hook[]
  /** A further condition for the spec. */
  readonly must?: (spec: ValidSpec) => boolean
}

const EVERYWHERE: readonly Hook[] = [
  'input',
  'input',
  'input',
  'input',
  'forward',
  'prerouting',
  'ingress',
]

/** Makes specs of one to three doors. Documents that contradict themselves are left out. */
export const spec = ({
  scale,
  kinds = KINDS,
  hooks = EVERYWHERE,
  must = () => true,
}: Choice): fc.Arbitrary<ValidSpec> =>
  fc
    .tuple(place(hooks), doors(scale, kinds), fc.option(guard(scale), { nil: undefined }))
    .map(([place, doors, guard]) => accept(plain({ ...place, doors, guard })))
    .filter((valid) => valid !== undefined && must(valid)) as fc.Arbitrary<ValidSpec>

/** Returns a document as it would be read from a file: without undefined values. */
export const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

/** Returns the kinds of knock in a spec. */
export function kindsOf({ doors }: ValidSpec): Set<Kind> {
  const knocks = doors.flatMap((door) => door.knocks)
  return new Set(
    knocks.map((knock) => ('once' in knock && knock.once !== undefined ? 'one-time' : knock.type)),
  )
}

/**
 * Makes specs with so many doors, each with an opening and a closing knock, that attempts are reset
 * in groups.
 */
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

export function accept(candidate: unknown): ValidSpec | undefined {
  try {
    return validateSpec(candidate)
  } catch (error) {
    if (error instanceof SpecError) return undefined
    throw error
  }
}
