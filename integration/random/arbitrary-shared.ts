// Random choices → spec documents whose doors can share their sets and rules, beside some that
// cannot. Pure; validateSpec may refuse some.
import fc from 'fast-check'
import type { Hook, ValidSpec } from '../../lib/spec/model/model.js'
import type { Scale } from './arbitrary-knock.js'
import { place } from './arbitrary-place.js'
import { accept, guard, otherDoor, plain, prefix } from './arbitrary-spec.js'

/** Steps among four ports that no other knock has. */
const steps = (first: number) =>
  fc.array(
    fc
      .tuple(fc.constantFrom('tcp', 'udp'), fc.integer({ min: 0, max: 1 }))
      .map(([protocol, offset]) => `${protocol}/${first + offset}`),
    { minLength: 1, maxLength: 5 },
  )

const knock = (scale: Scale, first: number) =>
  fc.record({
    type: fc.constant('sequence'),
    steps: steps(first),
    stepTimeout: fc.constantFrom(...scale.stepTimeout),
  })

/** @param shared - the prefix of those that have one. */
const door = (scale: Scale, index: number, shared: object | undefined) => {
  const first = 7000 + 10 * index
  return fc.record(
    {
      name: fc.constant(`s${index}`),
      service: fc.constantFrom(`tcp/${100 + index}`, `udp/${100 + index}`),
      knock: fc.oneof(
        { weight: 3, arbitrary: knock(scale, first) },
        { weight: 1, arbitrary: fc.tuple(knock(scale, first), knock(scale, first + 2)) },
      ),
      close: fc.oneof(
        knock(scale, first + 4),
        fc.tuple(knock(scale, first + 4), knock(scale, first + 6)),
      ),
      open: fc.record(
        { for: fc.constantFrom(...scale.open), ...(shared && { prefix: fc.constant(shared) }) },
        { requiredKeys: ['for'] },
      ),
    },
    { requiredKeys: ['name', 'service', 'knock', 'open'] },
  )
}

const doors = (scale: Scale) =>
  fc
    .tuple(
      fc.integer({ min: 1, max: 4 }),
      fc.option(otherDoor(scale), { freq: 2, nil: undefined }),
      fc.option(prefix, { freq: 1, nil: undefined }),
    )
    .chain(([count, other, shared]) => {
      const own = Array.from({ length: count }, (_, index) => door(scale, index, shared))
      return fc.tuple(...own).map((doors) => [...doors, ...(other ? [other] : [])])
    })

/** Makes specs in which at least one door can share. */
export const sharing = (scale: Scale, hooks: readonly Hook[]): fc.Arbitrary<ValidSpec> =>
  fc
    .tuple(place(hooks), doors(scale), fc.option(guard(scale), { nil: undefined }))
    .map(([place, doors, guard]) => accept(plain({ ...place, doors, guard })))
    .filter((valid) => valid !== undefined)
