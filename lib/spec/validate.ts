// An unknown document → a valid spec with defaults filled in, or every problem at once. Pure; the
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

/** All that were made here: only these are taken without another look. */
const VALIDATED = new WeakSet<object>()

/**
 * Validates a spec and fills in its defaults. The document is left as it is. Every call that takes
 * a spec takes what this returns, and does not validate it again; change nothing in it.
 *
 * @throws SpecError with all problems, in the order of the document's parts.
 */
export const validateSpec = (document: unknown): ValidSpec => requireValid(document, 'validateSpec')

/** The same for another call, whose name an error's message begins with. */
export function requireValid(document: unknown, operation: string): ValidSpec {
  if (isValid(document)) return document
  const findings = checkSchema('knock', document, expected)
  // What the schema refuses is left out, so that the rest can be read, and all problems are
  // reported at once.
  const spec = findings.isClean('') ? readSpec(document as KnockSpec, findings) : undefined
  if (spec) checkSpec(spec, findings)
  if (!spec || findings.problems.length > 0) throw new SpecError(operation, findings.sorted())
  VALIDATED.add(spec)
  return spec as ValidSpec
}

const isValid = (document: unknown): document is ValidSpec =>
  typeof document === 'object' && document !== null && VALIDATED.has(document)

/** What a schema's parts expect, by their JSON Pointers. */
type Expected = Readonly<Record<string, string>>

/** Finds what a schema refuses in a document. */
export function checkSchema(
  schema: 'knock' | 'client' | 'state',
  document: unknown,
  expected: Expected,
): Findings {
  // Loading it takes a fifth of what importing knocklib may take: only those who validate wait for
  // it.
  const validate: ValidateFunction = load(`./generated/validate-${schema}.cjs`)
  const findings = new Findings(document)
  if (!validate(document)) addSchemaErrors(findings, validate.errors ?? [], expected)
  return findings
}

/** Of words that are shorter or longer none is near by mistake: sctp is no tcp. */
const WORD = { shortest: 5, longest: 20 } as const

/** Keywords that only say that something inside them failed. */
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

/** The keys that the schema of an object knows: each has an `expected` of its own. */
function keysOfSchema(schemaPath: string, expected: Expected): string[] {
  const object = decodeURIComponent(schemaPath).replace(/\/additionalProperties$/, '')
  const start = `${object}/properties/`
  return Object.keys(expected)
    .filter((pointer) => pointer.startsWith(start))
    .map((pointer) => pointer.slice(start.length))
    .filter((name) => !name.includes('/'))
}

/** Of the words that an expectation has in quotes. */
function nearestWord(found: unknown, expected: string): string | undefined {
  if (typeof found !== 'string') return undefined
  if (found.length < WORD.shortest || found.length > WORD.longest) return undefined
  const words = [...expected.matchAll(/"([a-z-]+)"/g)].map(([, word]) => word ?? '')
  return nearest(found, words)
}

/** The `expected` of the schema whose keyword failed, or of the nearest one around it. */
function findExpected(schemaPath: string, expected: Expected): string {
  // ajv writes it as a URI's fragment.
  const parts = decodeURIComponent(schemaPath).split('/')
  while (parts.length > 1) {
    parts.pop()
    const text = expected[parts.join('/')]
    if (text !== undefined) return text
  }
  return expected['#'] as string
}
