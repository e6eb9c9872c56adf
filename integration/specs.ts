// Small specs for the tests, and what is wrong with one: a document → its problems. Pure.
import type { Test } from 'tap'
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

/** What was expected at a path, and what was found there. */
export type Wrong = readonly [path: string, expected: string, got: string]

/** A document of the wrong form, with all that is wrong in it, in order. */
export interface WrongForm {
  readonly of: string
  readonly document: unknown
  readonly wrong: readonly Wrong[]
}

/** Tests that of each document exactly what is wrong with it is reported. */
export function testWrongForms(t: Test, tables: Readonly<Record<string, readonly WrongForm[]>>) {
  for (const [name, cases] of Object.entries(tables)) {
    t.test(name, async (t) => {
      for (const { of, document, wrong } of cases) {
        const problems = wrong.map(([path, expected, got]) => {
          return [path, `expected ${expected}, got ${got}`]
        })
        t.strictSame(problemsOf(document), problems, of)
      }
    })
  }
}
