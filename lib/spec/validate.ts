// An unknown document → a valid spec with defaults filled in, or every problem at once. Pure; the only importer of ajv.
import { createRequire } from 'node:module'
import type { ErrorObject, ValidateFunction } from 'ajv'
import { SpecError } from '../errors.js'
import { at, Findings } from './findings.js'
import { expected } from './generated/expected-knock.js'
import type { KnockSpec } from './generated/knock-types.js'
import type { ValidSpec } from './model.js'
import { readSpec } from './read-spec.js'
import { checkSpec } from './rules.js'

const load = createRequire(import.meta.url)

/**
 * Validates a spec and fills in its defaults. The document is left as it is.
 *
 * @throws SpecError with all problems, in the order of the document's parts.
 */
export function validateSpec(document: unknown, operation = 'validateSpec'): ValidSpec {
  const findings = checkSchema('knock', document, expected)
  // What the schema refuses is left out, so that the rest can be read, and all problems told at once.
  const spec = findings.isClean('') ? readSpec(document as KnockSpec, findings) : undefined
  if (spec) checkSpec(spec, findings)
  if (!spec || findings.problems.length > 0) throw new SpecError(operation, findings.sorted())
  return spec
}

/** What a schema's parts expect, by their JSON Pointers. */
type Expected = Readonly<Record<string, string>>

/** Finds what a schema refuses in a document. */
export function checkSchema(
  schema: 'knock' | 'client' | 'state',
  document: unknown,
  expected: Expected,
): Findings {
  // Loading it takes a fifth of what importing knocklib may take: only those who validate wait for it.
  const validate: ValidateFunction = load(`./generated/validate-${schema}.cjs`)
  const findings = new Findings(document)
  if (!validate(document)) addSchemaErrors(findings, validate.errors ?? [], expected)
  return findings
}

/** Keywords that only say that something inside them failed. */
const WRAPPERS = new Set(['if', 'oneOf', 'anyOf'])

function addSchemaErrors(
  findings: Findings,
  errors: readonly ErrorObject[],
  expected: Expected,
): void {
  const expectation = (schemaPath: string) => findExpected(schemaPath, expected)
  for (const { keyword, instancePath, schemaPath, params } of errors) {
    if (WRAPPERS.has(keyword)) continue
    const { additionalProperty: unknown, missingProperty: missing, tag } = params
    if (keyword === 'additionalProperties') {
      findings.add(`${instancePath}${at(unknown)}`, 'no such key')
    } else if (keyword === 'required') {
      const schema = schemaPath.replace(/required$/, 'properties')
      findings.add(`${instancePath}${at(missing)}`, expectation(`${schema}${at(missing)}/required`))
    } else if (keyword === 'discriminator') {
      findings.add(`${instancePath}${at(tag)}`, expectation(`${schemaPath}/tag`))
    } else {
      findings.add(instancePath, expectation(schemaPath))
    }
  }
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
