// What can be said of a spec and a host, by name. Pure.
import type { Warning } from '../errors.js'

const OF_HOST = [
  ...(['host-not-seen', 'not-forwarding', 'only-loopback'] as const),
  ...(['interface-missing', 'interface-alternative'] as const),
  ...(['interface-enslaved', 'interface-without-address'] as const),
  ...(['address-elsewhere', 'address-own', 'address-bridged'] as const),
] as const

/** A warning that comes and goes with the host's network. */
export interface HostWarning extends Warning {
  readonly id: (typeof OF_HOST)[number]
}

/** A warning whose place in the spec is not known yet. */
export type Found = Omit<HostWarning, 'path'>

/** Whether a warning is one that comes and goes with the host's network. */
export const isOfHost = (warning: Warning): warning is HostWarning =>
  (OF_HOST as readonly string[]).includes(warning.id)
