// Knocks at different places of a spec → whether attempts under way go on.
import t from 'tap'
import { door, other } from '../../integration/fixtures/specs.js'
import { validateSpec } from '../spec/validate.js'
import { knocksOf, summariseAttempt } from './knocks.js'

const SEQUENCE = { type: 'sequence', steps: ['tcp/1', 'tcp/2'] }
const RATE = { type: 'rate', port: 'tcp/22', hits: 2, max: '5s' }

/** What the attempt at the door `ssh` means. */
function meaningOf(...doors: unknown[]) {
  const attempts = validateSpec({ doors }).doors.flatMap(knocksOf).map(summariseAttempt)
  return attempts.find(({ door }) => door === 'ssh')?.meaning
}

t.test('a knock keeps its summary if only its place in the spec changes', async (t) => {
  const ssh = door({ knock: SEQUENCE })
  t.strictSame(meaningOf(other(), ssh), meaningOf(ssh, other()))
  t.notSame(meaningOf(door({ knock: { ...SEQUENCE, steps: ['tcp/1', 'tcp/3'] } })), meaningOf(ssh))
})

t.test('the service is part of the summary only if the knock ends in it', async (t) => {
  const rate = (service: string) => meaningOf(door({ service: [service, 'tcp/22'], knock: RATE }))
  t.notSame(rate('tcp/80'), rate('tcp/81'))
  const sequence = (service: string) => meaningOf(door({ service, knock: SEQUENCE }))
  t.strictSame(sequence('tcp/80'), sequence('tcp/81'))
})
