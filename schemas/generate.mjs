// The schemas beside this file → validators, `expected` texts and types in lib/spec/generated.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { Ajv } from 'ajv'
import standalone from 'ajv/dist/standalone/index.js'
import { compile } from 'json-schema-to-typescript'

const here = new URL('.', import.meta.url)
const root = new URL('../', here)

/** Gathers every `expected` text, by the JSON Pointer of the schema that has it. */
function expectations(schema, pointer = '#', found = {}) {
  if (schema === null || typeof schema !== 'object') return found
  if (typeof schema.expected === 'string') found[pointer] = schema.expected
  for (const [key, value] of Object.entries(schema)) expectations(value, `${pointer}/${key}`, found)
  return found
}

/**
 * Replaces each $ref by its definition, so that the schemaPath of an error is a path in the whole
 * schema.
 */
function inline(schema, root = schema) {
  if (schema === null || typeof schema !== 'object') return schema
  if (Array.isArray(schema)) return schema.map((item) => inline(item, root))
  const { $ref, definitions: _, ...own } = schema
  // A definition may itself be a $ref.
  const target =
    $ref === undefined ? {} : inline(root.definitions[$ref.replace('#/definitions/', '')], root)
  const entries = Object.entries({ ...target, ...own })
  return Object.fromEntries(entries.map(([key, value]) => [key, inline(value, root)]))
}

/**
 * Compiles ajv's standalone code, so that ajv is needed to build and not to run. CommonJS is loaded
 * when the first document is validated; a module runs in browsers, too.
 */
function compileValidator(schema, isModule) {
  const ajv = new Ajv({
    allErrors: true,
    discriminator: true,
    strictTypes: false,
    code: { source: true, esm: isModule },
    keywords: ['expected', 'tsType'],
  })
  const code = standalone(ajv, ajv.compile(schema))
  if (code.includes('require(')) throw new Error('a keyword of this schema needs ajv at run time')
  return code
}

const readSchema = (name) => JSON.parse(readFileSync(new URL(`${name}.schema.json`, here), 'utf8'))

/**
 * Fails if a shared definition differs between two files. Each file has its own copy, since editors
 * read a single file.
 */
function requireShared(name, other, shared) {
  const [a, b] = [readSchema(name).definitions, readSchema(other).definitions]
  for (const key of shared) {
    if (!isDeepStrictEqual(a[key], b[key]) || !a[key]) {
      throw new Error(`${key} is not the same in ${name}.schema.json and ${other}.schema.json`)
    }
  }
}

/**
 * Widens the types for callers that build a document in code: lists may be read-only, and optional
 * keys may be undefined.
 */
const lenient = (types) =>
  types
    .replace(/(?<!readonly )\b(\w+|\([^()]*\))\[\]/g, 'readonly $1[]')
    .replace(/^( +\w+\?: )(.*)$/gm, '$1$2 | undefined')

/**
 * Makes the schema of a profile whose doors are any objects. Each door is validated by itself, so
 * that the validator which browsers load has half the size.
 */
function withoutDoors(schema) {
  const text = JSON.stringify(schema, (key, value) => (key === 'description' ? undefined : value))
  const small = JSON.parse(text)
  const { doors } = small.properties
  doors.additionalProperties = { type: 'object', expected: doors.additionalProperties.expected }
  return small
}

async function generate(name, typeName, { isModule = false } = {}) {
  const schema = readSchema(name)
  const out = new URL('lib/spec/generated/', root)
  mkdirSync(out, { recursive: true })

  const inlined = inline(schema)
  const code = compileValidator(isModule ? withoutDoors(inlined) : inlined, isModule)
  const banner = `// Generated from schemas/${name}.schema.json.\n`
  const file = new URL(`validate-${name}.${isModule ? 'ts' : 'cjs'}`, out)
  writeFileSync(file, `${isModule ? '// @ts-nocheck\n' : ''}${banner}${code}\n`)
  const { definitions } = schema
  const texts = JSON.stringify(expectations({ ...inlined, definitions }), null, 2)
  writeFileSync(
    new URL(`expected-${name}.ts`, out),
    `// Generated from schemas/${name}.schema.json.\n` +
      `export const expected: Readonly<Record<string, string>> = ${texts}\n`,
  )
  const types = await compile(schema, typeName, {
    bannerComment: `// Generated from schemas/${name}.schema.json.`,
    ignoreMinAndMaxItems: true,
    additionalProperties: false,
    unreachableDefinitions: true,
    style: { semi: false, singleQuote: true, printWidth: 100 },
  })
  writeFileSync(new URL(`${name}-types.ts`, out), lenient(types))
}

requireShared('client', 'knock', [
  ...['duration', 'durationOrZero', 'doorName', 'secretFile', 'knockPort', 'port', 'length'],
  ...['stepObject', 'tcpStep', 'udpStep', 'icmpStep'],
])
await generate('knock', 'KnockSpec')
await generate('client', 'KnockProfile', { isModule: true })
await generate('state', 'KnockState')
