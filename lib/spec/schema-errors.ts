// A document and its schema's validator → what the schema refuses, in words. Pure; the only
// importer of ajv, for its types.
import type { ErrorObject, ValidateFunction } from 'ajv'
import { nearest } from '../text/nearest.js'
import { at, Findings } from './model/findings.js'

/** The `expected` texts of a schema, by JSON Pointers into it. */
export type Expected = Readonly<Record<string, string>>

export type Validator = ValidateFunction

/** Finds what a schema refuses in a document. */
export function findErrors(validate: Validator, document: unknown, expected: Expected): Findings {
  const findings = new Findings(document)
  addErrors(validate, document, '', findings, expected)
  return findings
}

/** Adds what a schema refuses in a part of a document, whose JSON Pointer is given. */
export function addErrors(
  validate: Validator,
  part: unknown,
  path: string,
  findings: Findings,
  expected: Expected,
): void {
  if (validate(part)) return
  const errors = (validate.errors ?? []).map((error) => ({
    ...error,
    instancePath: `${path}${error.instancePath}`,
  }))
  addSchemaErrors(findings, errors, expected)
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
  for (const { keyword, instancePath, schemaPath, params } of errors) {
    if (WRAPPERS.has(keyword) || /\/propertyNames\/\w+$/.test(schemaPath)) continue
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
    } else if (keyword === 'propertyNames') {
      // Of the object that has the name.
      findings.add(`${instancePath}${at(params['propertyName'])}`, expectation(schemaPath))
    } else if (keyword === 'enum') {
      const text = expectation(schemaPath)
      findings.add(instancePath, text, nearestWord(findings.found(instancePath), text))
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
