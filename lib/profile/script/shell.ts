// A script's plan → a script for POSIX sh or for bash. Pure.
import { BASE32, BASE64, type Carrier } from '../../spec/derive/carrier.js'
import type { ScriptPacket, ScriptPlan } from './plan.js'
import { ADDRESSES, echo, HMAC, LETTERS, SENDERS, tcp, token, udp } from './shell-parts.js'

export type Shell = 'sh' | 'bash'

/**
 * Writes a script that knocks at all addresses of the host, and ends when a connection is in time.
 */
export function writeShell(plan: ScriptPlan, shell: Shell): string {
  const { host, token, rotation } = plan
  const derived = token ?? rotation
  const parts = [
    headerOf(plan, shell),
    [`host=\${KNOCK_HOST:-${host}}`, ...(derived ? [secretLine(derived.secretFile)] : [])].join(
      '\n',
    ),
    ADDRESSES,
    ...(derived ? [HMAC] : []),
    ...functionsOf(plan, shell),
    ...bodyOf(plan),
    `sleep ${seconds(plan.rest)}`,
  ]
  return `${parts.join('\n\n')}\n`
}

const seconds = (milliseconds: number): string => String(milliseconds / 1000)

function headerOf({ host, door, packets = [], token, rotation, port }: ScriptPlan, shell: Shell) {
  const what = door === undefined ? '' : `, the door ${door}`
  const derived = token ?? rotation
  const needs = [
    ...(shell === 'sh' ? ['nc'] : []),
    ...(derived ? ['sha256sum or openssl'] : []),
    ...(packets.some(({ protocol }) => protocol.startsWith('icmp')) ? ['ping'] : []),
    'a sleep that takes fractions',
  ]
  const next = port === undefined || port === 22 ? `ssh ${host}` : `ssh -p ${port} ${host}`
  return [
    shell === 'sh' ? '#!/bin/sh' : '#!/usr/bin/env bash',
    `# Knocks at ${host}${what}. Made by knocklib profile.`,
    `#   ${shell} THIS-FILE${derived ? ' [SECRET-FILE]' : ''} && ${next}`,
    '# It ends when a connection is in time.',
    `# It needs ${needs.join(', ')}.`,
    ...(derived
      ? ['# The secret stands in a file of its own, beside this one or as named: mode 0600.']
      : ['# Whoever can read this file can knock: mode 0700.']),
    'set -u',
  ].join('\n')
}

/** A path that is not absolute starts at the script's folder. */
function secretLine(path: string): string {
  const file = quote(path)
  return `secret=\${1:-${path.startsWith('/') ? file : `$(dirname "$0")/${file}`}}`
}

/** A word of the shell, as it stands between double quotes or bare. */
const quote = (text: string): string => text.replace(/[^A-Za-z0-9._/@%+-]/g, '\\$&')

function functionsOf({ packets, token: knock, rotation }: ScriptPlan, shell: Shell): string[] {
  const sender = SENDERS[shell]
  const protocols = new Set(packets?.map(({ protocol }) => protocol) ?? [])
  if (rotation) protocols.add(rotation.knock.protocol)
  return [
    ...(protocols.has('tcp') ? [tcp(sender)] : []),
    ...(protocols.has('udp') ? [udp(sender)] : []),
    ...(protocols.has('icmp') ? [echo('icmp')] : []),
    ...(protocols.has('icmpv6') ? [echo('icmpv6')] : []),
    ...(knock && knock.knock.carrier !== 'udp' ? [LETTERS] : []),
    ...(knock ? [token(sender, PAYLOADS[knock.knock.carrier])] : []),
  ]
}

const HEAD = "printf '%b%s%b' \"$(octal"

/** What writes the datagram of a token, $half, in one piece. */
const PAYLOADS: Readonly<Record<Carrier, string>> = {
  udp: 'printf %b "$(octal "$half" 0)"',
  stun:
    `text=$(letters "$(printf %.24s "$half")" 6 6 ${BASE64})\n    ` +
    "id=$(od -An -N 12 -tx1 /dev/urandom | tr -d ' \\n')\n    " +
    `${HEAD} "0001001c2112a442\${id}00060015" 0)" "$text:knck" '\\0000\\0000\\0000'`,
  dns:
    `text=$(letters "$(printf %.20s "$half")" 10 5 ${BASE32})\n    ` +
    "id=$(od -An -N 2 -tx1 /dev/urandom | tr -d ' \\n')\n    " +
    `${HEAD} "\${id}0000000100000000000010" 0)" "$text" '\\0000\\0000\\0001\\0000\\0001'`,
}

function bodyOf({ packets = [], token, rotation, gap }: ScriptPlan): string[] {
  if (token) {
    const { seed, period, knock } = token
    const number = `$(($(date +%s) / ${period}))`
    return [`digits=$(hmac "${seed}${number}")\ntoken ${knock.port}`]
  }
  if (!rotation) return [packets.map(linesOf).join('\n')]
  const { seed, period, knock } = rotation
  const { length, protocol, ports } = knock
  const takes = Math.ceil((length * gap) / 1000) + 1
  const count = ports.to - ports.from + 1
  const payload = protocol === 'udp' ? ' 1' : ''
  return [
    `now=$(date +%s)
number=$((now / ${period}))
left=$(((number + 1) * ${period} - now))
# A sequence must end in its period.
if [ "$left" -lt ${takes} ]; then
  sleep $((left + 1))
  number=$((number + 1))
fi
digits=$(hmac "${seed}$number")
step=0
while [ "$step" -lt ${length} ]; do
  part=\${digits%"\${digits#????????}"}
  digits=\${digits#????????}
  ${protocol} $((${ports.from} + 0x$part % ${count}))${payload}
  sleep ${seconds(gap)}
  step=$((step + 1))
done`,
  ]
}

function linesOf({ protocol, port, length, pause }: ScriptPacket): string {
  const before = pause > 0 ? `sleep ${seconds(pause)}\n` : ''
  if (protocol === 'tcp') return `${before}tcp ${port}`
  return `${before}${protocol} ${protocol === 'udp' ? `${port} ` : ''}${length}`
}
