// An unknown document → a valid profile, or every problem at once; and the file that it is read
// from. Reads one file.
import { CLIENT_KINDS, type ClientKnock, clientKindOf } from '../automaton/kinds/client-kinds.js'
import { ProfileError } from '../errors.js'
import { readDocument } from '../files/spec-file.js'
import type { KnockProfile } from '../spec/generated/client-types.js'
import { expected } from '../spec/generated/expected-client.js'
import { at, type Findings } from '../spec/model/findings.js'
import { checkSchema } from '../spec/validate.js'

export interface ValidProfile {
  readonly knock: ClientKnock
  /** In the user's words, such as `100ms`. */
  readonly gap?: string
}

/**
 * Reads a client's profile, JSON or YAML, such as `{"steps": ["tcp/7000", "udp/8000"], "gap":
 * "200ms"}`. It keeps the steps out of the process list and the shell's history; the file should be
 * its owner's alone.
 *
 * @throws ProfileError with every problem of the profile.
 * @throws DocumentError if the file is neither JSON nor YAML.
 * @throws ArgumentError if the file cannot be read.
 */
export async function loadProfile(path: string): Promise<KnockProfile> {
  const document = await readDocument(path, 'loadProfile')
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

type Key = ClientKnock['kind']
const KEYS = Object.keys(CLIENT_KINDS) as Key[]

function readKnock(profile: KnockProfile, findings: Findings): ClientKnock | undefined {
  const [key, ...others] = KEYS.filter((key) => profile[key] !== undefined)
  if (!key) {
    const rest = KEYS.slice(1)
    const names = `${rest.slice(0, -1).join(', ')} or ${rest.at(-1)}`
    findings.add('/steps', `a list of steps, or ${names} in its place`)
    return undefined
  }
  for (const other of others) {
    findings.conflict(at(other), at(key), 'a profile has only one kind of knock')
  }
  const kind = clientKindOf({ kind: key })
  if (profile.gap !== undefined && !kind.hasGap) {
    findings.conflict('/gap', at(key), 'this kind of knock sets its own pauses')
  }
  return findings.isClean(at(key)) ? kind.read(profile[key], findings) : undefined
}
