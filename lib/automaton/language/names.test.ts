// Doors whose names look like parts of names → no two sets, chains or counters have one name, and
// each set's name is read back.
import t from 'tap'
import { validateSpec } from '../../spec/validate.js'
import { buildAutomaton } from '../build.js'
import { isOfLog, parseSetName } from './names.js'

const KNOCKS = [
  { type: 'sequence', steps: ['tcp/7001', 'icmp', 'udp/7001'], stepTimeout: 9, timeout: 10 },
  { type: 'sequence', oneTime: [['tcp/7002', 'tcp/7003'], ['tcp/7004']], reset: 'knock-ports' },
  { type: 'rate', port: 'tcp/7005', hits: 3, min: 1, max: 9 },
  { type: 'rhythm', port: 'udp/7006', counts: [1, 2, 3], window: 4 },
]
const WORDS = [
  ...['ssh', 'open_ssh', 'open2_ssh', 'close_ssh', 'close2_ssh'],
  ...['stage1_ssh', 'attempt_ssh', 'lock_ssh'],
]
const MORE = [
  'any',
  'ports',
  'step',
  'tcp',
  'ssh_0',
  'ssh_4',
  'grants_ssh',
  'used1_ssh',
  'spent_ssh',
  'open-ssh',
  'close-ssh',
  'a-lock_ssh',
  'grants_-ssh',
]

const doors = [...WORDS, ...MORE].map((name, index) => ({
  name,
  service: [`tcp/${100 + index}`],
  knock: [
    ...KNOCKS,
    {
      type: 'token',
      port: `udp/${8000 + index}`,
      period: 30,
      users: [{ name: 'ana', secretFile: 'a' }],
    },
    {
      type: 'sequence',
      rotate: {
        secretFile: 'b',
        every: '1h',
        steps: 2,
        ports: `${20000 + 300 * index}-${20299 + 300 * index}`,
      },
    },
  ],
  close: [
    { type: 'sequence', steps: ['tcp/7001', 'tcp/7009'] },
    { type: 'sequence', steps: ['tcp/7001', 'tcp/7010'], timeout: 4 },
  ],
  open: {
    for: 30,
    connections: 3,
    established: index % 2 === 0 ? 'cut' : 'keep',
    scope: index % 3 === 0 ? 'everyone' : 'source',
  },
}))

t.test('no two names are equal, and the name of each set can be read back', async (t) => {
  const { sets, periodSets, chains } = buildAutomaton(validateSpec({ doors }))
  t.ok(chains.length > 400, 'many chains are compared')
  const names = [...sets, ...periodSets].map(({ name }) => name)
  const isOfAll = (name: string) =>
    isOfLog(name) || /^(syns|counted|knocking|banned|strike)/.test(name)
  const own = names.filter((name) => !isOfAll(name))
  for (const name of own) {
    const { door = '' } = parseSetName(name) ?? {}
    t.ok(door && doors.some((one) => one.name === door), name)
    t.ok(name.endsWith(`_${door}`), `${name} ends with the name of door ${door}`)
  }
  const found = doors.map(
    ({ name }) => own.filter((set) => parseSetName(set)?.door === name).length,
  )
  t.equal(new Set(found).size, 1, `each door has as many sets as the others: ${found}`)
})
