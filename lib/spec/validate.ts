// An unknown document → a valid spec with defaults filled in, or all problems at once. Pure; the
// only importer of ajv.
import { createRequire } from 'node:module'
import type { ErrorObject, ValidateFunction } from 'ajv'
import { SpecError } from '../errors.js'
import { nearest } from '../text/nearest.js'
import { expected } from './generated/expected-knock.js'
import type { KnockSpec } from './generated/knock-types.js'
import { at, Findings } from './model/findings.js'
import type { ValidSpec } from './model/model.js'
import { readSpec } from './read/read-spec.js'
import { checkSpec } from './rules/rules.js'

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

/** The `expected` texts of a schema, by JSON Pointers into it. */
type Expected = Readonly<Record<string, string>>

/** Validates a document against a schema. The result is empty if nothing is wrong. */
export function checkSchema(
  schema: 'knock' | 'client' | 'state',
  document: unknown,
  expected: Expected,
): Findings {
  // Loaded on use: it takes a fifth of the time that importing knocklib may take, and only
  // validating needs it.
  const validate: ValidateFunction = load(`./generated/validate-${schema}.cjs`)
  const findings = new Findings(document)
  if (!validate(document)) addSchemaErrors(findings, validate.errors ?? [], expected)
  return findings
}

/**
 * The length of words for which a similar word is suggested. Shorter ones are similar by chance:
 * sctp is no tcp.
 */
const WORD = { shortest: 5, longest: 20 } as const

/** Keywords that only repeat that something inside them failed. */
const WRAPPERS = new Set(['if', 'oneOf', 'anyOf'])

function addSchemaErrors(
  findings: Findings,
  errors: readonly ErrorObject[],
  expected: Expected,
): void {
  const expectation = (schemaPath: string) => findExpected(schemaPath, expected)
  for (const { keyword, instancePath, schemaPath, params, data } of errors) {
    if (WRAPPERS.has(keyword)) continue
    const { additionalProperty: unknown, missingProperty: missing, tag } = params
    if (keyword === 'additionalProperties') {
      const known = keysOfSchema(schemaPath, expected)
      const isWord = unknown.length <= WORD.longest
      const meant = isWord ? nearest(unknown, known) : undefined
      findings.add(`${instancePath}${at(unknown)}`, 'no such key', meant)
    } else if (keyword === 'required') {
      const schema = schemaPath.replace(/required$/, 'properties')
      findings.add(`${instancePath}${at(missing)}`, expectation(`${schema}${at(missing)}/required`))
    } else if (keyword === 'discriminator') {
      const text = expectation(`${schemaPath}/tag`)
      findings.add(`${instancePath}${at(tag)}`, text, nearestWord(params['tagValue'], text))
    } else if (keyword === 'enum') {
      const text = expectation(schemaPath)
      findings.add(instancePath, text, nearestWord(data, text))
    } else {
      findings.add(instancePath, expectation(schemaPath))
    }
  }
}

/** The keys that an object's schema allows: each has an `expected` text. */
function keysOfSchema(schemaPath: string, expected: Expected): string[] {
  const object = decodeURIComponent(schemaPath).replace(/\/additionalProperties$/, '')
  const start = `${object}/properties/`
  return Object.keys(expected)
    .filter((pointer) => pointer.startsWith(start))
    .map((pointer) => pointer.slice(start.length))
    .filter((name) => !name.includes('/'))
}

/** Finds the similar word among those that an `expected` text has in quotes. */
function nearestWord(found: unknown, expected: string): string | undefined {
  if (typeof found !== 'string') return undefined
  if (found.length < WORD.shortest || found.length > WORD.longest) return undefined
  const words = [...expected.matchAll(/"([a-z-]+)"/g)].map(([, word]) => word ?? '')
  return nearest(found, words)
}

/**
 * Finds the `expected` text of the schema whose keyword failed, or of the nearest schema around it.
 */
function findExpected(schemaPath: string, expected: Expected): string {
  // ajv writes the path as a URI's fragment.
  const parts = decodeURIComponent(schemaPath).split('/')
  while (parts.length > 1) {
    parts.pop()
    const text = expected[parts.join('/')]
    if (text !== undefined) return text
  }
  return expected['#'] as string
}
