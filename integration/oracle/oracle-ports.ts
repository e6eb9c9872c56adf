// An attempt and a packet → whether the attempt judges the packet, whether it is one of its knocks,
// and what becomes of the attempt.
import type { Packet } from '../../lib/simulate/packet.js'
import type { Step } from '../../lib/spec/model/packet-model.js'
import { end, move, type Sequence } from './oracle-attempts.js'
import { isAt, isOdd, isStep, isSyn } from './oracle-packets.js'
import type { Attempt } from './oracle-table.js'

const isAmong = (places: readonly Pick<Step, 'protocol' | 'port'>[], packet: Packet): boolean =>
  packet.port !== undefined &&
  places.some(({ protocol, port }) => protocol === packet.protocol && port === packet.port)

/** Whether a packet can be a step. An invalid one can only be a step with such flags. */
const canBe = (step: Step, { state }: Packet): boolean => state !== 'invalid' || isOdd(step)

/** Whether the attempt judges a packet. */
export function isKnockedAt(attempt: Attempt, packet: Packet): boolean {
  const { spec } = attempt.door
  switch (attempt.kind) {
    case 'token':
      return isAt(spec, packet) && isAmong([{ protocol: 'udp', port: attempt.knock.port }], packet)
    case 'paced':
      return isAt(spec, packet) && isAmong(attempt.ports, packet)
    case 'sequence': {
      const steps = attempt.stepsAt(packet.at)
      // A rotation judges only its steps, and a ping is judged only if it is a step.
      if (attempt.rotates || packet.protocol === 'icmp') {
        return steps.some((step) => isStep(step, spec, packet))
      }
      return isAt(spec, packet) && isAmong(steps, packet)
    }
  }
}

/** Whether a packet is a step of the attempt, or one that it counts. */
export function isKnock(attempt: Attempt, packet: Packet): boolean {
  if (attempt.kind === 'sequence') {
    const { spec } = attempt.door
    return attempt
      .stepsAt(packet.at)
      .some((step) => canBe(step, packet) && isStep(step, spec, packet))
  }
  return attempt.kind === 'paced' && isKnockedAt(attempt, packet) && begins(packet)
}

/** Whether a packet can begin a connection. */
export const begins = (packet: Packet): boolean =>
  packet.state !== 'invalid' && (packet.protocol !== 'tcp' || isSyn(packet))

/** Moves a source's stage in a sequence. Returns false if the packet is not an expected step. */
export const advance = (sequence: Sequence, packet: Packet): boolean =>
  move(
    sequence,
    packet,
    (step) => step !== undefined && canBe(step, packet) && isStep(step, sequence.door.spec, packet),
  )

/** Ends an attempt, since a knock that is not its own came. */
export function reset(attempt: Attempt, packet: Packet): void {
  if (attempt.kind === 'sequence' && attempt.reset !== 'never') end(attempt, packet, 'knock')
}
