// A profile → YAML as a person would write it, or JSON. Pure.
import { ArgumentError } from '../errors.js'
import type { KnockProfile, ProfileDoor } from '../spec/generated/client-types.js'
import type { ProfileFormat } from './formats.js'

export const yaml: ProfileFormat = {
  summary: "knocklib's own profile",
  write(profile, { name }) {
    const doors = [profile, ...Object.values(profile.doors ?? {})]
    if (doors.some(({ oneTime }) => oneTime !== undefined)) {
      throw new ArgumentError(
        'profile: --format yaml: expected json for one-time sequences, since the client writes ' +
          'the file again without the one that it sends, got yaml',
      )
    }
    return [...headerOf(profile, name), ...linesOf(profile), ''].join('\n')
  },
}

export const json: ProfileFormat = {
  summary: 'the same as JSON, also for one-time sequences',
  write: (profile) => `${JSON.stringify(profile, null, 2)}\n`,
}

/** Parts whose names people know before they read on. */
type Part = readonly [key: string, value: unknown]

function headerOf(profile: KnockProfile, name: string): string[] {
  const files = [profile, ...Object.values(profile.doors ?? {})].flatMap(secretFileOf)
  const secrets = [...new Set(files)].map(
    (file) => `# The secret stands in ${file}, which is not here: mode 0600, and a path that`,
  )
  return [
    `# A knocklib profile: how to knock at ${profile.host ?? name}. Keep it as`,
    `#   ~/.config/knocklib/${name}.yaml (mode 0600)`,
    `# and knock with: knocklib knock ${name}`,
    ...secrets.slice(0, 1),
    ...(secrets.length > 0 ? ["# is not absolute starts at this file's folder."] : []),
  ]
}

const secretFileOf = ({ token, rotate }: ProfileDoor): string[] =>
  [token?.secretFile, rotate?.secretFile].filter((file) => file !== undefined)

function linesOf({ doors, ...profile }: KnockProfile): string[] {
  const lines = Object.entries(profile).flatMap(lineOf)
  if (!doors) return lines
  const parts = Object.entries(doors).flatMap(([name, door]) => [
    `  ${name}:`,
    ...Object.entries(door)
      .flatMap(lineOf)
      .map((line) => `    ${line}`),
  ])
  return [...lines, 'doors:', ...parts]
}

const lineOf = ([key, value]: Part): string[] =>
  value === undefined ? [] : [`${key}: ${flow(value)}`]

/** YAML's flow style. What is not plainly a word is quoted as JSON quotes it, which YAML reads. */
function flow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`
  if (typeof value === 'object' && value !== null) {
    const parts = Object.entries(value).map(([key, part]) => `${key}: ${flow(part)}`)
    return `{ ${parts.join(', ')} }`
  }
  return typeof value === 'string' && isPlain(value) ? value : JSON.stringify(value)
}

/** Whether YAML 1.1 and 1.2 read it as this text: no number, truth, time or sign of their own. */
const isPlain = (text: string): boolean =>
  /^[A-Za-z][A-Za-z0-9_./@-]*$|^[0-9]+(ms|[smhd])$|^[0-9]+(\.[0-9]+){3}$/.test(text) &&
  !/^(true|false|yes|no|on|off|null|y|n)$/i.test(text)
