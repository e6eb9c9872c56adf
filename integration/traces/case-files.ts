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
  /** Written by hand: each packet with the verdict that it must meet. */
  readonly packets: readonly SimulatedPacket[]
  /**
   * Written by hand, where they matter: what is reported, such as `3 knock ssh open 1/2` of the
   * fourth packet.
   */
  readonly events?: readonly string[]
}

/** Reads all cases, in the order of their names. */
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

/** What the files of a spec hold in all cases: a secret made of their own path. */
export function secretsOf(spec: ValidSpec): Secrets {
  const files = secretFilesOf(spec)
  return new Map(files.map((file) => [file, Buffer.from(`the secret of ${file}`)]))
}

/** Whether an nft knows all that a spec asks for. */
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
 * What a golden file holds. With UPDATE=1 in the environment the file is written anew first, with
 * `actual`; a file that is not there is empty.
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
