// A spec with traps → the bans of its automaton: when its set is full, and beside other bans.
import t from 'tap'
import { Simulator } from '../../simulate/simulate.js'
import { validateSpec } from '../../spec/validate.js'
import { buildAutomaton } from '../build.js'

const doors = [
  {
    name: 'ssh',
    service: 'tcp/22',
    knock: { type: 'sequence', steps: ['tcp/7000', 'tcp/7001', 'tcp/7002'] },
    open: { for: '60s' },
  },
]

function simulatorOf(guard: object) {
  const simulator = new Simulator(buildAutomaton(validateSpec({ guard, doors })))
  let sent = 0
  return {
    banned: (at: number) => simulator.members('banned', at).map(({ key }) => key),
    counter: (name: string) => simulator.counter(name),
    send(at: number, source: string, port: number, state: 'new' | 'invalid' = 'new') {
      sent += 1
      const protocol = 'tcp'
      return simulator.receive({ at, source, protocol, port, sourcePort: 1024 + sent, state })
    },
  }
}

const traps = { ports: ['tcp/23'], for: '10s' }

t.test('a full set of bans bans nobody, and a trap drops its packets all the same', async (t) => {
  const { banned, counter, send } = simulatorOf({ traps, capacity: 1 })
  t.equal(send(0, '10.0.0.1', 23), 'drop')
  t.equal(send(1, '10.0.0.2', 23), 'drop')
  t.strictSame([banned(1), counter('bans')], [['10.0.0.1'], 1])
  send(2, '10.0.0.2', 7000)
  t.equal(counter('knocks_ssh'), 1, 'a source that found no room is heard')
  send(11, '10.0.0.2', 23)
  t.strictSame([banned(11), counter('bans')], [['10.0.0.2'], 2])
})

t.test('a SYN that conntrack calls invalid begins nothing, and bans nobody', async (t) => {
  const { banned, counter, send } = simulatorOf({ traps })
  send(0, '10.0.0.1', 23, 'invalid')
  t.strictSame([banned(0), counter('bans')], [[], 0])
  send(1, '10.0.0.1', 23)
  t.strictSame([banned(1), counter('bans')], [['10.0.0.1'], 1])
})

t.test('a ban in force is neither renewed nor cut short by a trap', async (t) => {
  const ban = { after: 1, within: '1m', for: '30s' }
  const { banned, counter, send } = simulatorOf({ traps, ban })
  for (const port of [7000, 7002]) send(0, '10.0.0.1', port)
  t.strictSame(banned(1), ['10.0.0.1'])
  send(1, '10.0.0.1', 23)
  t.strictSame([banned(29), counter('bans'), counter('ignored')], [['10.0.0.1'], 1, 1])
  t.strictSame(banned(31), [])
  send(40, '10.0.0.1', 23)
  send(45, '10.0.0.1', 23)
  t.strictSame([banned(49), banned(51)], [['10.0.0.1'], []])
})
