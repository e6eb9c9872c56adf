// A client's file → the steps that it sends. Reads one file.
import { ArgumentError } from '../errors.js'
import { loadDocument } from '../load.js'
import type { KnockProfile } from './send.js'
import { readClientStep } from './step.js'

/**
 * Reads a client's profile, JSON or YAML: `{"steps": ["tcp/7000", "udp/8000"], "gap": "200ms"}`. It keeps the steps
 * out of the process list and the shell's history; the file should be its owner's alone.
 *
 * @throws ArgumentError where it is no such thing.
 */
export async function loadProfile(path: string): Promise<KnockProfile & { gap?: string }> {
  const document = await loadDocument(path, 'loadProfile')
  const { steps, gap, $schema: _, ...others } = (document ?? {}) as Record<string, unknown>
  if (!Array.isArray(steps) || steps.length === 0) {
    throw new ArgumentError(`loadProfile: ${path}: /steps: expected a list of steps`)
  }
  if (gap !== undefined && typeof gap !== 'string') {
    throw new ArgumentError(`loadProfile: ${path}: /gap: expected a pause such as "100ms" or "2s"`)
  }
  for (const key of Object.keys(others)) {
    throw new ArgumentError(`loadProfile: ${path}: /${key}: expected no such key`)
  }
  for (const step of steps) readClientStep(step)
  return { steps, ...(gap !== undefined && { gap }) }
}
