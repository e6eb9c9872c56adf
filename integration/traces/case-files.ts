// The folders of integration/cases → their specs, packets with verdicts, and golden files. Reads
// files.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { buildAutomaton } from '../../lib/automaton/build.js'
import type { Secrets } from '../../lib/automaton/language/loads.js'
import { secretFilesOf } from '../../lib/automaton/loads.js'
import { CapabilityError } from '../../lib/errors.js'
import { requireFeatures } from '../../lib/kernel/process/capability.js'
import type { SimulatedPacket } from '../../lib/simulate/simulation.js'
import type { KnockSpec } from '../../lib/spec/generated/knock-types.js'
import type { ValidSpec } from '../../lib/spec/model/model.js'

const FOLDER = new URL('../cases/', import.meta.url)

interface CaseFiles {
  readonly name: string
  readonly spec: KnockSpec
  /** The packets of the case, each with its expected verdict. Written by hand. */
  readonly packets: readonly SimulatedPacket[]
  /**
   * The expected events, if they matter: `3 knock ssh open 1/2` for the fourth packet. Written by
   * hand.
   */
  readonly events?: readonly string[]
}

/** Reads all cases, sorted by their names. */
export function readCases(): CaseFiles[] {
  const names = readdirSync(FOLDER).sort()
  return names.map((name) => {
    const read = (file: string) => JSON.parse(readFileSync(fileOf(name, file), 'utf8'))
    const parts = { name, spec: read('spec.json'), packets: read('packets.json') }
    return existsSync(fileOf(name, 'events.json'))
      ? { ...parts, events: read('events.json') }
      : parts
  })
}

/** Returns the secrets of a spec's files. In all cases a secret is made from its file's path. */
export function secretsOf(spec: ValidSpec): Secrets {
  const files = secretFilesOf(spec)
  return new Map(files.map((file) => [file, Buffer.from(`the secret of ${file}`)]))
}

/** Whether a version of nft can install a spec. */
export function isKnownTo(version: string, spec: ValidSpec): boolean {
  try {
    requireFeatures(buildAutomaton(spec), version, 'isKnownTo')
    return true
  } catch (error) {
    if (error instanceof CapabilityError) return false
    throw error
  }
}

/**
 * Returns the text of a golden file; empty if there is no such file. With UPDATE=1 in the
 * environment it first writes `actual` to the file.
 */
export function golden(name: string, file: string, actual: string): string {
  if (process.env['UPDATE'] === '1') writeFileSync(fileOf(name, file), actual)
  try {
    return readFileSync(fileOf(name, file), 'utf8')
  } catch {
    return ''
  }
}

const fileOf = (name: string, file: string): URL => new URL(`${name}/${file}`, FOLDER)
