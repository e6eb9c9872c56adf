// The steps that a client sends, in the user's words → objects. Pure.
import { ArgumentError } from '../errors.js'
import type { Step } from '../spec/model.js'
import { parseFlags, parseStep } from '../spec/step.js'

const EXPECTED =
  'tcp/1..65535, udp/1..65535, PORT, PORT:tcp, PORT:udp, icmp, icmpv6 or an object as in a spec'

/** What an object has beside its protocol. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  tcp: ['port', 'flags'],
  udp: ['port', 'length'],
  icmp: ['length'],
  icmpv6: ['length'],
}

/**
 * Reads a step to send: as in a spec (`tcp/7000`, `udp/8000`, `icmp`, an object), or as Debian's knock writes it
 * (`7000`, `7000:udp`, also the number 7000).
 *
 * @throws ArgumentError
 */
export function readClientStep(step: unknown): Step {
  // YAML and JSON have a bare port as a number.
  const isText = typeof step === 'string' || typeof step === 'number'
  const parsed = isText ? parseText(String(step)) : parseObject(step)
  if (parsed) return parsed
  throw new ArgumentError(`sendKnock: expected ${EXPECTED}, got ${JSON.stringify(step)}`)
}

function parseText(text: string): Step | undefined {
  const knock = /^([1-9][0-9]{0,4})(?::(tcp|udp))?$/.exec(text)
  return parseStep(knock ? `${knock[2] ?? 'tcp'}/${knock[1]}` : text)
}

function parseObject(value: unknown): Step | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { protocol, ...rest } = value as Partial<Record<string, unknown>>
  const known = Object.hasOwn(KEYS, String(protocol)) ? KEYS[String(protocol)] : undefined
  if (!known || Object.keys(rest).some((key) => !known.includes(key))) return undefined
  const { port, length, flags: text } = rest
  const base = parseStep(known.includes('port') ? `${protocol}/${port}` : String(protocol))
  if (!base || (port !== undefined && typeof port !== 'number')) return undefined
  if (length !== undefined && !isLength(length)) return undefined
  const flags = typeof text === 'string' ? parseFlags(text) : undefined
  if (text !== undefined && !flags) return undefined
  return { ...base, ...(length !== undefined && { length }), ...(flags && { flags }) }
}

/** The most that an IPv4 packet carries behind its header and that of UDP or an echo request. */
const isLength = (value: unknown): value is number =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 65507
