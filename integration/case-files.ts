// The folders of integration/cases → each with its spec, its packets with what becomes of them, and its golden files.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { SimulatedPacket } from '../lib/simulation.js'
import type { KnockSpec } from '../lib/spec/generated/knock-types.js'

const FOLDER = new URL('cases/', import.meta.url)

export interface CaseFiles {
  readonly name: string
  readonly spec: KnockSpec
  /** Written by hand: each packet with the verdict that it must meet. */
  readonly packets: readonly SimulatedPacket[]
}

/** Reads all cases, in the order of their names. */
export function readCases(): CaseFiles[] {
  const names = readdirSync(FOLDER).sort()
  return names.map((name) => ({
    name,
    spec: JSON.parse(readFileSync(fileOf(name, 'spec.json'), 'utf8')),
    packets: JSON.parse(readFileSync(fileOf(name, 'packets.json'), 'utf8')),
  }))
}

/**
 * What a golden file holds. With UPDATE=1 in the environment the file is written anew first, with `actual`;
 * a file that is not there is empty.
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
