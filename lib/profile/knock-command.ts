// A profile → command lines of Debian's knock, or a line of Open Sesamy's knocksettings.txt. Pure.
import { parseAddress } from '../spec/model/address.js'
import type { ProfileFormat } from './formats.js'
import { planScript, REST, refusal, type ScriptPacket } from './script/plan.js'

/** Milliseconds: packets that are closer belong to one call of knock, which keeps one pause. */
const CLOSE = 1000
/** Milliseconds. knock sends its packets itself, so a pause can be short. */
const GAP = 100

export const knock: ProfileFormat = {
  summary: "command lines for Debian's knock",
  async write(profile, { door }) {
    const { host, packets, rest } = await planScript(profile, door, 'knock', GAP)
    if (!packets) {
      throw refusal('knock', 'ports that are written down', 'what is derived from a secret')
    }
    const odd = packets.find(({ port, isSized }) => port === 0 || isSized)
    if (odd) {
      const of = odd.port === 0 ? odd.protocol : `${odd.protocol}/${odd.port}`
      throw refusal('knock', 'steps of tcp and udp without a length', of)
    }
    const families = familiesOf(host)
    const lines = burstsOf(packets).flatMap((burst, index, bursts) => {
      // The other family has its turn meanwhile.
      const spent = index === 0 ? 0 : lengthOf(bursts[index - 1]) * (families.length - 1)
      const pause = (burst[0]?.pause ?? 0) - spent
      const ports = burst.map(({ port, protocol }) => (protocol === 'tcp' ? port : `${port}:udp`))
      const delay = burst[1]?.pause ?? GAP
      const words = `-d ${delay} ${host} ${ports.join(' ')}`
      return [
        ...(pause > 0 ? [`sleep ${pause / 1000}`] : []),
        ...families.map((family) => `knock ${family} ${words}`),
      ]
    })
    const last = rest > REST ? [`sleep ${rest / 1000}`] : []
    return [HEADER, ...lines, ...last, ''].join('\n')
  },
}

const HEADER = '# A family that the host has no address of fails, and does no harm.'

type Burst = readonly ScriptPacket[]

/** Packets that follow one another closely. */
function burstsOf(packets: Burst): Burst[] {
  const bursts: ScriptPacket[][] = []
  for (const packet of packets) {
    const burst = bursts.at(-1)
    if (burst && packet.pause <= CLOSE) burst.push(packet)
    else bursts.push([packet])
  }
  return bursts
}

/** Milliseconds from its first packet to its last. */
const lengthOf = (burst: Burst = []): number =>
  burst.slice(1).reduce((sum, { pause }) => sum + pause, 0)

/** knock's options for the families that a host may have. */
function familiesOf(host: string): string[] {
  const address = parseAddress(host)
  return address ? [`-${address.family}`] : ['-4', '-6']
}

export const knocksettings: ProfileFormat = {
  summary: "Open Sesamy's knocksettings.txt: server, port, counts, window",
  async write(profile, { door }) {
    const { host, knock } = await planScript(profile, door, 'knocksettings')
    if (!('counts' in knock)) {
      throw refusal(
        'knocksettings',
        'packets counted in windows of time',
        `a knock of ${knock.kind}`,
      )
    }
    const { port, counts, window } = knock
    if (port.protocol !== 'tcp') {
      throw refusal('knocksettings', 'a TCP port, since it names no protocol', `udp/${port.port}`)
    }
    return `${host} ${port.port} ${counts.join('')} ${window * 1000}\n`
  },
}
