// A wanted table → the sets of the installed one whose elements an install must list.
import t from 'tap'
import { buildAutomaton } from '../automaton/build.js'
import { partsOf } from '../nft/parts.js'
import { renderRuleset } from '../nft/render/render.js'
import { validateSpec } from '../spec/validate.js'
import { neededBy } from './needed.js'

const documentOf = (capacity: number) =>
  renderRuleset(
    buildAutomaton(
      validateSpec({
        guard: { capacity },
        doors: [
          {
            name: 'ssh',
            service: 'tcp/22',
            knock: [
              { type: 'sequence', steps: ['tcp/7000', 'tcp/8000'] },
              { type: 'rate', port: 'tcp/7001', hits: 2, max: 5 },
            ],
            open: { for: 30, connections: 2 },
          },
        ],
      }),
    ),
  )

/**
 * The sets that strangers can fill, of which the elements are needed to change one table into the
 * other.
 */
function needed(from: number, to: number): string[] {
  const objects = documentOf(from).nftables.flatMap((command) =>
    'add' in command ? [command.add] : [],
  )
  const isNeeded = neededBy(documentOf(to))
  return [...partsOf(objects).values()]
    .filter((part) => part.kind === 'set' && part.name.endsWith('_4') && isNeeded(part))
    .map(({ name }) => name)
}

t.test('sets that any source can fill are not listed if they stay', async (t) => {
  t.strictSame(needed(1000, 1000).sort(), ['grants_ssh_4', 'used1_ssh_4'])
})

t.test('another capacity lists the sets that are carried over, but no claims', async (t) => {
  const found = needed(1000, 2000)
  for (const name of ['stage1_ssh_4', 'knocking_4', 'open2_penalty_ssh_4', 'grants_ssh_4']) {
    t.ok(found.includes(name), name)
  }
  for (const name of ['syns_4', 'counted_4', 'open2_lock_ssh_4', 'lock1_ssh_4']) {
    t.notOk(found.includes(name), name)
  }
})
