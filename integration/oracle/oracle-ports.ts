// An attempt and a packet → whether the attempt judges the packet, and whether it is one of its
// knocks. Pure.
import type { Packet } from '../../lib/simulate/packet.js'
import type { Step } from '../../lib/spec/model/model.js'
import { isAt, isOdd, isStep, isSyn } from './oracle-packets.js'
import type { Attempt } from './oracle-table.js'

const isAmong = (places: readonly Pick<Step, 'protocol' | 'port'>[], packet: Packet): boolean =>
  packet.port !== undefined &&
  places.some(({ protocol, port }) => protocol === packet.protocol && port === packet.port)

/** What conntrack calls invalid starts nothing, but for a step that asks for such flags. */
export const canBe = (step: Step, { state }: Packet): boolean => state !== 'invalid' || isOdd(step)

/** Whether the attempt says what becomes of a packet. */
export function isKnockedAt(attempt: Attempt, packet: Packet): boolean {
  const { spec } = attempt.door
  switch (attempt.kind) {
    case 'token':
      return isAt(spec, packet) && isAmong([{ protocol: 'udp', port: attempt.knock.port }], packet)
    case 'paced':
      return isAt(spec, packet) && isAmong(attempt.ports, packet)
    case 'sequence': {
      const steps = attempt.stepsAt(packet.at)
      // Of a rotation, and of pings, only what is a step: the others are none of its business.
      if (attempt.rotates || packet.protocol === 'icmp') {
        return steps.some((step) => isStep(step, spec, packet))
      }
      return isAt(spec, packet) && isAmong(steps, packet)
    }
  }
}

/** Whether a packet is one of the attempt's steps, or one of those that it counts. */
export function isKnock(attempt: Attempt, packet: Packet): boolean {
  if (attempt.kind === 'sequence') {
    const { spec } = attempt.door
    return attempt
      .stepsAt(packet.at)
      .some((step) => canBe(step, packet) && isStep(step, spec, packet))
  }
  return attempt.kind === 'paced' && isKnockedAt(attempt, packet) && begins(packet)
}

/** Whether a packet begins something, as far as can be reported from it. */
export const begins = (packet: Packet): boolean =>
  packet.state !== 'invalid' && (packet.protocol !== 'tcp' || isSyn(packet))
