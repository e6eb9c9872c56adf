// Doors that are open as long as their sources talk → which packets renew a grant.
import t from 'tap'
import { Simulator } from '../../simulate/simulate.js'
import { validateSpec } from '../../spec/validate.js'
import { buildAutomaton } from '../build.js'

function simulatorOf() {
  const door = {
    name: 'ssh',
    service: ['tcp/22', 'tcp/2222'],
    address: '192.0.2.1',
    knock: { type: 'sequence', steps: ['tcp/7000'] },
    open: { for: '80s', refresh: 'traffic' },
  }
  const simulator = new Simulator(buildAutomaton(validateSpec({ doors: [door] })))
  const from = { source: '10.0.0.1', protocol: 'tcp', sourcePort: 1024 } as const
  const to = { destination: '192.0.2.1' }
  simulator.receive({ ...from, ...to, at: 0, port: 7000 })
  return {
    /** How long after the knock the source is let in: a packet comes after half of the time. */
    lastsWith(parts: object): number {
      const packet = { ...from, ...to, at: 40, port: 22, flags: 16, state: 'established' } as const
      simulator.receive({ ...packet, ...parts })
      const isIn = (at: number) => simulator.members('grants_ssh', at).length > 0
      return [79, 81, 119, 121].filter(isIn).at(-1) ?? 0
    },
  }
}

t.test('a packet of a connection to the door renews the grant of its source', async (t) => {
  const lastsWith = (parts: object) => simulatorOf().lastsWith(parts)
  t.equal(lastsWith({}), 119)
  t.equal(lastsWith({ port: 2222 }), 119, 'any of its services')
  t.equal(lastsWith({ port: 80 }), 79, 'no other port')
  t.equal(lastsWith({ destination: '192.0.2.2' }), 79, 'no other address')
  t.equal(lastsWith({ source: '10.0.0.2' }), 79, 'no other source')
  t.equal(lastsWith({ isReply: true }), 79, 'no answer to a connection of this host')
})
