// A step, as a client's user writes it → the step, or a problem.
import t from 'tap'
import { readProfile } from '../../../client/profile.js'
import type { ProfileStep } from '../../../spec/generated/client-types.js'
import { Findings } from '../../../spec/model/findings.js'
import { readClientStep } from './client-step.js'

const read = (step: ProfileStep) => readClientStep(step, '/0', new Findings([step]))

t.test('steps of a spec are read', async (t) => {
  t.same(read('tcp/7000'), { protocol: 'tcp', port: 7000 })
  t.same(read('udp/65535'), { protocol: 'udp', port: 65535 })
  t.same(read('icmp'), { protocol: 'icmp' })
  t.same(read('icmpv6'), { protocol: 'icmpv6' })
})

t.test("steps of Debian's knock are read", async (t) => {
  t.same(read('7000'), { protocol: 'tcp', port: 7000 })
  t.same(read('7000:tcp'), { protocol: 'tcp', port: 7000 })
  t.same(read('8000:udp'), { protocol: 'udp', port: 8000 })
  t.same(read(7000), { protocol: 'tcp', port: 7000 })
})

t.test('steps as objects are read', async (t) => {
  t.same(read({ protocol: 'tcp', port: 1, flags: 'syn,!ack' }), {
    protocol: 'tcp',
    port: 1,
    flags: { mask: 0x12, value: 0x02 },
  })
  const datagram = { protocol: 'udp', port: 8000, length: 65507 } as const
  t.same(read(datagram), datagram)
  t.same(read({ protocol: 'icmp', length: 0 }), { protocol: 'icmp', length: 0 })
  t.same(read({ protocol: 'icmpv6' }), { protocol: 'icmpv6' })
})

t.test('everything else is refused, with the value in the message', async (t) => {
  const texts = ['', 'tcp/0', 'tcp/65536', '0', '65536', '07000', '7000:sctp', ' 7000', '7000-7001']
  const numbers = [0, -1, 65536, 1.5, Number.NaN]
  const things = [null, undefined, true, [], ['tcp/7000'], {}, { protocol: 'sctp', port: 1 }]
  const objects = [
    { protocol: 'tcp' },
    { protocol: 'tcp', port: '7000' },
    { protocol: 'tcp', port: 7000, length: 1 },
    { protocol: 'tcp', port: 7000, flags: 'syn,!syn' },
    { protocol: 'tcp', port: 7000, flags: 2 },
    { protocol: 'tcp', port: 7000, colour: 'red' },
    { protocol: 'udp', port: 8000, flags: 'syn' },
    { protocol: 'udp', port: 8000, length: 65508 },
    { protocol: 'icmp', port: 7 },
    { protocol: 'icmp', length: -1 },
    { protocol: 'function toString() { [native code] }' },
  ]
  for (const step of [...texts, ...numbers, ...things, ...objects]) {
    const refused = { code: 'invalid-argument', message: /^here: \/steps\/0/ }
    await t.rejects(readProfile({ steps: [step] }, 'here'), refused, JSON.stringify(step))
  }
  const message = /^here: \/steps\/0: expected tcp\/1\.\.65535, .*PORT:udp, .* got "tcp\/0"$/
  await t.rejects(readProfile({ steps: ['tcp/0'] }, 'here'), { message })
  await t.rejects(readProfile({ steps: [null] }, 'here'), { message: /PORT:udp, .* got null$/ })
})
