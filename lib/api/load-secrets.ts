// A spec → the secrets of its tokens and rotations, by file path. Reads those files.
import type { Secrets } from '../automaton/language/loads.js'
import { secretFilesOf } from '../automaton/loads.js'
import { readSecrets } from '../files/secrets.js'
import { requireValid, type SpecInput } from '../spec/validate.js'

/**
 * Reads the secrets that a spec names, for `simulateKnock`. Empty if it names none.
 *
 * @throws SpecError with every problem of the spec.
 * @throws ArgumentError if a secret cannot be read, others can read it too, or it is too short.
 */
export async function loadSecrets(spec: SpecInput): Promise<Secrets> {
  const operation = 'loadSecrets'
  return readSecrets(secretFilesOf(requireValid(spec, operation)), operation)
}
