// An unknown document → a valid spec with defaults filled in, or every problem at once. Pure; the only importer of ajv.
import { createRequire } from 'node:module'
import type { ErrorObject, ValidateFunction } from 'ajv'
import { SpecError } from '../errors.js'
import { mergeCidrs, parseCidr } from './address.js'
import { MAX_DURATION, parseDuration } from './duration.js'
import { at, Findings } from './findings.js'
import { expected } from './generated/expected-knock.js'
import type {
  DoorSpec,
  KnockSpec,
  SequenceKnock,
  Step as SpecStep,
} from './generated/knock-types.js'
import type { Cidr, Service, Step, ValidDoor, ValidSequence, ValidSpec } from './model.js'
import { checkSpec } from './rules.js'
import { parseFlags, parseService, parseStep } from './step.js'

/** Sources that one set holds unless the spec says otherwise; about 100 bytes each, used only as sources come. */
export const DEFAULT_CAPACITY = 262144

/** Longest gap between two knocks unless the spec says otherwise. */
const DEFAULT_STEP_TIMEOUT = 5

const load = createRequire(import.meta.url)

/**
 * Validates a spec and fills in its defaults. The document is left as it is.
 *
 * @throws SpecError with all problems, in the order of the document's parts.
 */
export function validateSpec(document: unknown, operation = 'validateSpec'): ValidSpec {
  // Loading it takes a fifth of what importing knocklib may take: only those who validate wait for it.
  const validateSchema: ValidateFunction = load('./generated/validate-knock.cjs')
  const findings = new Findings(document)
  if (!validateSchema(document)) addSchemaErrors(findings, validateSchema.errors ?? [])
  // What the schema refuses is left out, so that the rest can be read, and all problems told at once.
  const spec = findings.isClean('') ? readSpec(document as KnockSpec, findings) : undefined
  if (spec) checkSpec(spec, findings)
  if (!spec || findings.problems.length > 0) throw new SpecError(operation, findings.sorted())
  return spec
}

/** Keywords that only say that something inside them failed. */
const WRAPPERS = new Set(['if', 'oneOf', 'anyOf'])

function addSchemaErrors(findings: Findings, errors: readonly ErrorObject[]): void {
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
function expectation(schemaPath: string): string {
  // ajv writes it as a URI's fragment.
  const parts = decodeURIComponent(schemaPath).split('/')
  while (parts.length > 1) {
    parts.pop()
    const text = expected[parts.join('/')]
    if (text !== undefined) return text
  }
  return expected['#'] as string
}

function readSpec(spec: KnockSpec, findings: Findings): ValidSpec | undefined {
  const guard = findings.isClean('/guard') ? (spec.guard ?? {}) : {}
  const list = <T>(path: string, values: T | undefined, fallback: T): T =>
    values !== undefined && findings.isClean(path) ? values : fallback
  const doors = list('/doors', spec.doors, [])
  return {
    table: list('/table', spec.table, 'knock'),
    hook: 'input',
    interfaces: list('/interfaces', spec.interfaces, []),
    guard: {
      trusted: mergeCidrs(
        readCidrs(list('/guard/trusted', guard.trusted, []), '/guard/trusted', findings),
      ),
      ignore: readServices(list('/guard/ignore', guard.ignore, []), '/guard/ignore', findings),
      capacity: list('/guard/capacity', guard.capacity, DEFAULT_CAPACITY),
    },
    doors: doors.flatMap((door, index) => {
      const origin = `/doors/${index}`
      return findings.isClean(origin) ? [readDoor(door, origin, findings)] : []
    }),
  }
}

/** Reads a door. A part that the schema refuses is left open, so that the others can still be held against each other. */
function readDoor(door: DoorSpec, origin: string, findings: Findings): ValidDoor {
  const isClean = (part: string) => findings.isClean(`${origin}/${part}`)
  const { connections, refresh = false } = isClean('open') ? door.open : {}
  return {
    name: isClean('name') ? door.name : '',
    origin,
    services: isClean('service') ? readServices(door.service, `${origin}/service`, findings) : [],
    addresses: isClean('address')
      ? mergeCidrs(readCidrs(door.address ?? [], `${origin}/address`, findings))
      : [],
    knock: readSequence(door.knock, `${origin}/knock`, findings),
    ...(door.close !== undefined && {
      close: readSequence(door.close, `${origin}/close`, findings),
    }),
    open: {
      for: isClean('open')
        ? readDuration(door.open.for, `${origin}/open/for`, findings)
        : MAX_DURATION,
      ...(connections !== undefined && isClean('open/connections') && { connections }),
      refresh: isClean('open/refresh') && refresh,
    },
  }
}

function readSequence(knock: SequenceKnock, origin: string, findings: Findings): ValidSequence {
  const isClean = (part: string) => findings.isClean(`${origin}${part}`)
  const known = isClean('') && isClean('/type') ? knock : undefined
  const read = (key: 'stepTimeout' | 'timeout') => {
    const value = known?.[key]
    return value === undefined ? undefined : readDuration(value, `${origin}/${key}`, findings)
  }
  const steps = isClean('/steps') ? (known?.steps ?? []) : []
  const timeout = read('timeout')
  return {
    type: 'sequence',
    origin,
    steps: steps.map((step, index) => readStep(step, `${origin}/steps/${index}`, findings)),
    stepTimeout: read('stepTimeout') ?? timeout ?? DEFAULT_STEP_TIMEOUT,
    ...(timeout !== undefined && { timeout }),
    reset: known?.reset ?? 'any',
  }
}

/** Stands in for a step that cannot be read, so that the others keep their places. */
const UNREADABLE: Step = { protocol: 'icmp' }

function readStep(step: SpecStep, origin: string, findings: Findings): Step {
  if (!findings.isCleanBelow(origin)) return UNREADABLE
  if (typeof step === 'string') {
    const parsed = parseStep(step)
    if (parsed) return parsed
    findings.add(origin, 'tcp/1..65535, udp/1..65535, icmp or icmpv6')
    return UNREADABLE
  }
  if (step.protocol !== 'tcp') return step
  const { protocol, port, flags } = step
  if (flags === undefined) return { protocol, port }
  const parsed = parseFlags(flags)
  if (!parsed) findings.add(`${origin}/flags`, 'flags that are not both set and clear')
  return parsed ? { protocol, port, flags: parsed } : { protocol, port }
}

function readDuration(value: unknown, path: string, findings: Findings): number {
  const seconds = findings.isClean(path) ? parseDuration(value) : MAX_DURATION
  if (seconds === undefined) findings.add(path, expected['#/definitions/duration'] as string)
  return seconds ?? MAX_DURATION
}

/** Reads one value or a list of them; what cannot be read is reported and left out. */
function readList<T>(
  values: string | readonly string[],
  path: string,
  findings: Findings,
  read: (value: string, path: string) => T | undefined,
): T[] {
  if (typeof values === 'string') {
    const only = read(values, path)
    return only === undefined ? [] : [only]
  }
  return values.flatMap((value, index) => {
    const where = `${path}/${index}`
    return findings.isClean(where) ? (read(value, where) ?? []) : []
  })
}

function readServices(
  values: string | readonly string[],
  path: string,
  findings: Findings,
): Service[] {
  return readList(values, path, findings, (value, where) => {
    const service = parseService(value)
    if (!service) findings.add(where, 'ports from 1 to 65535, a range from low to high')
    return service
  })
}

function readCidrs(values: string | readonly string[], path: string, findings: Findings): Cidr[] {
  return readList(values, path, findings, (value, where) => {
    const cidr = parseCidr(value)
    if (!cidr) {
      findings.add(where, 'an IPv4 or IPv6 address or a CIDR block')
      return undefined
    }
    const { hostBits, ...block } = cidr
    if (hostBits) findings.add(where, `${block.address}/${block.prefixLength} (no host bits)`)
    return block
  })
}
