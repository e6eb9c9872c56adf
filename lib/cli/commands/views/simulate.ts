// knocklib simulate: packets played through a spec, without a kernel.
import {
  loadSecrets,
  loadTrace,
  type SimulatedEvent,
  type SimulatedPacket,
  simulateKnock,
} from '../../../index.js'
import type { CommandDefinition } from '../../command/command.js'
import { loadSpec } from '../../command/spec-file.js'
import { formatStatus } from '../../draw/format.js'

export const simulate: CommandDefinition = {
  usage: 'simulate <spec> <trace>',
  summary: 'play packets through a spec, without a kernel',
  examples: [
    'knocklib simulate doors.json trace.txt',
    "printf '0 10.77.0.2 tcp/7000\\n1 10.77.0.2 tcp/22\\n' > trace.txt   # seconds, " +
      'source, where to',
    "echo '1767225600 10.77.0.2 udp/6000 payload=00112233445566778899aabbccddeeff' " +
      '> trace.txt   # unix time, a token',
  ],
  async run([specPath, tracePath], options) {
    const spec = await loadSpec(specPath as string, options)
    const packets = await loadTrace(tracePath as string)
    const json = simulateKnock(spec, packets, { secrets: await loadSecrets(spec) })
    const lines = json.packets.map((packet, index) =>
      formatPacket(
        packet,
        json.events.filter((event) => event.packet === index),
      ),
    )
    return { json, text: `${lines.join('')}\n${formatStatus(json.status)}` }
  },
}

function formatPacket(
  { at, source, to, verdict }: SimulatedPacket,
  events: readonly SimulatedEvent[],
): string {
  const words = [String(at).padStart(8), source.padEnd(24), to.padEnd(10), verdict.padEnd(6)]
  return `${[...words, ...events.map(formatEvent)].join('  ').trimEnd()}\n`
}

/** Such as `knock ssh 1/3` or `granted ssh 1/1 ana`. */
const formatEvent = ({ event, door, stage, of, user }: SimulatedEvent): string =>
  [event, door, stage === undefined ? undefined : `${stage}/${of}`, user]
    .filter((word) => word !== undefined)
    .join(' ')
