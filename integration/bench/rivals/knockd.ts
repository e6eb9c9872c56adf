// A number of doors → Debian's knockd, with the plain firewall that it opens.
import { runKnockd } from '../../peers/knockd.js'
import { ESTABLISHED, iptablesRules } from '../../peers/recent.js'
import type { Rival } from '../rounds.js'
import { firstPort, servicePort } from '../specs.js'

const sectionOf = (name: string, steps: readonly number[], service: number): string => `
[${name}]
  sequence    = ${steps.join(',')}
  seq_timeout = 5
  tcpflags    = syn
  command     = iptables -w -I INPUT -s %IP% -p tcp --dport ${service} -j ACCEPT
`

/** The firewall of either drops what knockd has not opened. */
const RULES = iptablesRules(`
  ${ESTABLISHED}
  -A INPUT -p tcp --dport 22 -j DROP
`)

const rivalOf = (sections: readonly string[]): Rival => ({
  name: 'knockd',
  needs: ['knockd', 'iptables', 'setpriv'],
  async install(server) {
    await RULES.install(server)
    return await runKnockd(server, sections.join(''))
  },
})

/** A number of doors, with the ports that knocklib's have. */
export function knockdDoors(count: number): Rival {
  const sections = Array.from({ length: count }, (_, index) => {
    const first = firstPort(index)
    return sectionOf(`door${index}`, [first, first + 1, first + 2], servicePort(index))
  })
  return { ...rivalOf(sections), x: count }
}

/** One door before tcp/22 that 7000, 8000 and 9000 open. */
export const knockdDoor = (): Rival => rivalOf([sectionOf('ssh', [7000, 8000, 9000], 22)])
