// The lengths of prefixes in the user's words → a prefix for both families. Pure.
import type { PrefixSpec } from '../generated/knock-types.js'
import { WIDTH } from '../model/address.js'
import type { Findings } from '../model/findings.js'
import type { Prefix } from '../model/packet-model.js'
import { readValue } from '../model/read-values.js'

/** Reads a prefix. Undefined if it is absent, or if it is the whole address in both families. */
export function readPrefix(
  prefix: PrefixSpec | undefined,
  path: string,
  findings: Findings,
): Prefix | undefined {
  const { ipv4, ipv6 } = readValue<PrefixSpec>(prefix, path, {}, findings)
  const read: Prefix = {
    4: readValue(ipv4, `${path}/ipv4`, WIDTH[4], findings),
    6: readValue(ipv6, `${path}/ipv6`, WIDTH[6], findings),
  }
  return read[4] === WIDTH[4] && read[6] === WIDTH[6] ? undefined : read
}
