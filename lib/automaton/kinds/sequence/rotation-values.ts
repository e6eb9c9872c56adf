// What server and client must say alike of a rotating sequence → its values. Pure.
import type { Findings } from '../../../spec/model/findings.js'
import type { PortRange } from '../../../spec/model/packet-model.js'
import { readDuration, readValue } from '../../../spec/model/read-values.js'
import { parseService } from '../../../spec/model/step.js'

interface Written {
  readonly every: number | string
  readonly steps: number
  readonly protocol?: 'tcp' | 'udp' | undefined
  readonly ports: string
}

/** The shortest period of a rotation, in seconds. */
const LEAST_EVERY = 600
const LEAST_PORTS = 256

/** Reads them from a part of a spec or of a profile, at a JSON Pointer. */
export const readRotationValues = (written: Written, path: string, findings: Findings) => ({
  every: readDuration(written.every, `${path}/every`, findings, LEAST_EVERY),
  length: readValue(written.steps, `${path}/steps`, 2, findings),
  protocol: readValue(written.protocol, `${path}/protocol`, 'tcp' as const, findings),
  ports: readRange(written.ports, `${path}/ports`, findings),
})

function readRange(text: string, path: string, findings: Findings): PortRange {
  const range = findings.isClean(path) ? parseService(`tcp/${text}`)?.ports : undefined
  if (!range || range.to - range.from + 1 < LEAST_PORTS) {
    findings.add(path, 'a range of at least 256 ports up to 65535, such as "20000-60000"')
  }
  return range ?? { from: 0, to: 0 }
}
