// Small specs for the tests, and what is wrong with one: a document → its problems. Pure.
import { SpecError } from '../lib/errors.js'
import { validateSpec } from '../lib/spec/validate.js'

type Part = Readonly<Record<string, unknown>>

/** A sequence that is right, but for the parts given. */
export const sequence = (parts: Part = {}): Part => ({
  type: 'sequence',
  steps: ['tcp/7000', 'udp/8000', 'icmp'],
  ...parts,
})

/** A door that is right, but for the parts given. */
export const door = (parts: Part = {}): Part => ({
  name: 'ssh',
  service: 'tcp/22',
  knock: sequence(),
  open: { for: '30s' },
  ...parts,
})

/** A spec of one door, with parts of the door and parts of the spec. */
export const spec = (doorParts: Part = {}, parts: Part = {}): Part => ({
  doors: [door(doorParts)],
  ...parts,
})

/** The messages of a document's problems by their paths, in the order in which they are reported. */
export function problemsOf(document: unknown): [path: string, message: string][] {
  try {
    validateSpec(document)
    return []
  } catch (error) {
    if (!(error instanceof SpecError)) throw error
    return error.problems.map(({ path, message }) => [path, message])
  }
}
