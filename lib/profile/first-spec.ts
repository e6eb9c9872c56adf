// What stands behind a door, and who comes → a first spec, as YAML with comments. Pure.

/** A user, and the file of the user's secret on the server. */
export interface FirstUser {
  readonly name: string
  readonly secretFile: string
}

export interface FirstSpec {
  readonly door: string
  /** Such as `tcp/22`. */
  readonly service: string
  /** Steps such as `tcp/7000`; with users the port of their tokens, such as `udp/6000`. */
  readonly steps: readonly string[]
  readonly users: readonly FirstUser[]
  /** The address of the session that asks; it is never locked out. */
  readonly trusted?: string | undefined
}

/** Writes the spec: tokens for users, or one sequence for everybody who knows it. */
export function writeFirstSpec(spec: FirstSpec): string {
  const { door, service } = spec
  return [
    '# What knocklib guards. Every key is described in docs/start/spec.md.',
    '# After a change: knocklib check, then knocklib install --confirm 60s.',
    'guard:',
    ...trustedLines(spec.trusted),
    '  # A source whose knocks are wrong ten times in a minute is banned.',
    '  ban: { after: 10, within: 1m, for: 10m }',
    'doors:',
    `  - name: ${door}`,
    `    service: ${service}`,
    ...knockLines(spec),
    '    # How long a knock lets its source in. Connections that are open go on.',
    '    open: { for: 30s }',
    '',
  ].join('\n')
}

const trustedLines = (trusted: string | undefined): string[] =>
  trusted === undefined
    ? [
        '  # Name the networks that are never locked out: yours, and that of a console server.',
        '  # trusted: [192.0.2.0/24]',
      ]
    : [
        '  # These sources need no knock. This is the address of the session that made the spec.',
        `  trusted: ["${trusted}"]`,
      ]

function knockLines({ steps, users }: FirstSpec): string[] {
  if (users.length === 0) {
    return [
      '    # Whoever knows these steps can knock: keep this file to yourself.',
      '    knock:',
      '      type: sequence',
      `      steps: [${steps.join(', ')}]`,
      '      stepTimeout: 5s',
    ]
  }
  return [
    '    # Each user has a secret. A token of it works once.',
    '    knock:',
    '      type: token',
    `      port: ${steps[0]}`,
    '      period: 30s',
    '      users:',
    ...users.map(
      ({ name, secretFile }) =>
        `        - { name: ${name}, secretFile: ${JSON.stringify(secretFile)} }`,
    ),
  ]
}
