// The steps that a client sends, in the user's words → objects. Pure.
import { ArgumentError } from '../errors.js'
import type { StepObject } from '../spec/generated/knock-types.js'
import type { Step } from '../spec/model.js'
import { parseFlags, parseStep } from '../spec/step.js'

/**
 * Reads a step to send: as in a spec (`tcp/7000`, `udp/8000`, `icmp`, an object), or as Debian's knock writes it
 * (`7000`, `7000:udp`).
 *
 * @throws ArgumentError
 */
export function readClientStep(step: string | StepObject): Step {
  const parsed = typeof step === 'string' ? parseText(step) : parseObject(step)
  if (parsed) return parsed
  throw new ArgumentError(
    `sendKnock: expected tcp/1..65535, udp/1..65535, PORT, PORT:tcp, PORT:udp, icmp or icmpv6, got ${JSON.stringify(step)}`,
  )
}

function parseText(text: string): Step | undefined {
  const knock = /^([1-9][0-9]{0,4})(?::(tcp|udp))?$/.exec(text)
  return parseStep(knock ? `${knock[2] ?? 'tcp'}/${knock[1]}` : text)
}

function parseObject(step: StepObject): Step | undefined {
  const { protocol } = step
  const base = parseStep('port' in step ? `${protocol}/${step.port}` : protocol)
  if (!base || base.protocol !== protocol) return undefined
  const length = 'length' in step ? step.length : undefined
  if (length !== undefined && !(Number.isInteger(length) && length >= 0 && length <= 65507)) {
    return undefined
  }
  const text = 'flags' in step ? step.flags : undefined
  const flags = text === undefined ? undefined : parseFlags(text)
  if (text !== undefined && !flags) return undefined
  return { ...base, ...(length !== undefined && { length }), ...(flags && { flags }) }
}
