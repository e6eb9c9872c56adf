// An unknown document → a valid spec with defaults filled in, or all problems at once. Pure.
import { createRequire } from 'node:module'
import { SpecError } from '../errors.js'
import { expected } from './generated/expected-knock.js'
import type { KnockSpec } from './generated/knock-types.js'
import type { Findings } from './model/findings.js'
import type { ValidSpec } from './model/model.js'
import { readSpec } from './read/read-spec.js'
import { checkSpec } from './rules/rules.js'
import { type Expected, findErrors, type Validator } from './schema-errors.js'

const load = createRequire(import.meta.url)

/** A spec as its user writes it, or one that was validated. */
export type SpecInput = KnockSpec | ValidSpec

/** All valid specs that were made here. Only these are not validated again. */
const VALIDATED = new WeakSet<object>()

/**
 * Validates a spec and fills in its defaults. The document is not changed. All calls that take a
 * spec accept the result and do not validate it again, so it must not be changed.
 *
 * @throws SpecError with all problems, in the order of the document's parts.
 */
export const validateSpec = (document: unknown): ValidSpec => requireValid(document, 'validateSpec')

/**
 * The same for another call.
 *
 * @param operation - the name of the call, which begins the message of an error.
 * @throws SpecError with all problems.
 */
export function requireValid(document: unknown, operation: string): ValidSpec {
  if (isValid(document)) return document
  const findings = checkSchema('knock', document, expected)
  // Parts that the schema refuses are left out, so that the others are read and all problems are
  // reported at once.
  const spec = findings.isClean('') ? readSpec(document as KnockSpec, findings) : undefined
  if (spec) checkSpec(spec, findings)
  if (!spec || findings.problems.length > 0) throw new SpecError(operation, findings.sorted())
  VALIDATED.add(spec)
  return spec as ValidSpec
}

const isValid = (document: unknown): document is ValidSpec =>
  typeof document === 'object' && document !== null && VALIDATED.has(document)

/** Validates a document against a schema. The result is empty if nothing is wrong. */
export function checkSchema(
  schema: 'knock' | 'state',
  document: unknown,
  expected: Expected,
): Findings {
  // Loaded on use: it takes a fifth of the time that importing knocklib may take, and only
  // validating needs it.
  const validate: Validator = load(`./generated/validate-${schema}.cjs`)
  return findErrors(validate, document, expected)
}
