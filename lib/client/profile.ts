// An unknown document → a valid profile, or every problem at once; and the file that it is read from. Reads one file.
import { KnockError, type SpecProblem } from '../errors.js'
import { loadDocument } from '../files/spec-file.js'
import type { KnockProfile } from '../spec/generated/client-types.js'
import { expected } from '../spec/generated/expected-client.js'
import { at, type Findings } from '../spec/model/findings.js'
import { checkSchema } from '../spec/validate.js'
import type { ClientKnock, ValidProfile } from './model.js'
import { readRate, readRhythm, readRotate, readToken } from './read-kinds.js'
import { readClientStep } from './step.js'

/** A client's profile is wrong. Carries every problem that was found, not only the first. */
export class ProfileError extends KnockError {
  override readonly name = 'ProfileError'
  readonly code = 'invalid-argument'
  readonly problems: readonly SpecProblem[]

  constructor(subject: string, problems: readonly SpecProblem[], options?: ErrorOptions) {
    const lines = problems.map(({ path, message }) => `${path === '' ? '/' : path}: ${message}`)
    super(`${subject}: ${lines.join('\n  ')}`, options)
    this.problems = problems
  }
}

/**
 * Reads a client's profile, JSON or YAML, such as `{"steps": ["tcp/7000", "udp/8000"], "gap": "200ms"}`. It keeps the
 * steps out of the process list and the shell's history; the file should be its owner's alone.
 *
 * @throws ProfileError with every problem of the profile.
 * @throws SpecError where the file is not JSON or YAML.
 * @throws ArgumentError where the file cannot be read.
 */
export async function loadProfile(path: string): Promise<KnockProfile> {
  const document = await loadDocument(path, 'loadProfile')
  readProfile(document, `loadProfile: ${path}`)
  return document as KnockProfile
}

/**
 * Validates a profile and fills in its defaults. The document is left as it is.
 *
 * @param subject what an error's message begins with.
 * @throws ProfileError with all problems, in the order of the document's parts.
 */
export function readProfile(document: unknown, subject: string): ValidProfile {
  const findings = checkSchema('client', document, expected)
  const profile = findings.isClean('') ? (document as KnockProfile) : undefined
  const knock = profile && readKnock(profile, findings)
  if (!profile || !knock || findings.problems.length > 0) {
    throw new ProfileError(subject, findings.sorted())
  }
  return { knock, ...(profile.gap !== undefined && { gap: profile.gap }) }
}

/** What a profile may be; the first three are packets with pauses between them. */
const KINDS = ['steps', 'oneTime', 'rotate', 'token', 'rate', 'rhythm'] as const
const WITH_PAUSES = 3

function readKnock(profile: KnockProfile, findings: Findings): ClientKnock | undefined {
  const [kind, ...others] = KINDS.filter((kind) => profile[kind] !== undefined)
  if (!kind) {
    findings.add(
      '/steps',
      'a list of steps, or token, rotate, oneTime, rate or rhythm in its place',
    )
    return undefined
  }
  for (const other of others) findings.add(at(other), `no ${other} beside ${kind}`)
  if (profile.gap !== undefined && KINDS.indexOf(kind) >= WITH_PAUSES) {
    findings.add('/gap', `no gap beside ${kind}`)
  }
  return findings.isClean(at(kind)) ? readKind(kind, profile, findings) : undefined
}

function readKind(
  kind: (typeof KINDS)[number],
  { steps = [], oneTime = [], rotate, token, rate, rhythm }: KnockProfile,
  findings: Findings,
): ClientKnock | undefined {
  const readSteps = (list: typeof steps, path: string) =>
    list.map((step, index) => readClientStep(step, `${path}/${index}`, findings))
  switch (kind) {
    case 'steps':
      return { kind, steps: readSteps(steps, '/steps') }
    case 'oneTime': {
      const sequences = oneTime.map((list, index) => {
        const path = `/oneTime/${index}`
        return findings.isClean(path) ? readSteps(list, path) : []
      })
      return { kind, sequences }
    }
    case 'rotate':
      return rotate && readRotate(rotate, findings)
    case 'token':
      return token && readToken(token, findings)
    case 'rate':
      return rate && readRate(rate, findings)
    case 'rhythm':
      return rhythm && readRhythm(rhythm, findings)
  }
}
