// knocklib install: the spec's table into the kernel, atomically.
import { installKnock, loadState } from '../index.js'
import { type CommandDefinition, textOf } from './command.js'
import { loadSpec } from './spec-file.js'

export const install: CommandDefinition = {
  usage: 'install <spec>',
  summary: 'install or replace the table, in one transaction',
  examples: [
    'knocklib install doors.json',
    'knocklib install doors.yaml --table knock2',
    'knocklib install doors.yaml --state /var/lib/knocklib/state.json',
  ],
  options: [
    {
      flags: '--state <file>',
      description: 'a saved state, in place with the table; none where there is no such file yet',
    },
  ],
  async run([path], options) {
    const spec = await loadSpec(path as string, options)
    const file = textOf(options, 'state')
    const state = file === undefined ? undefined : await loadState(file)
    const knock = await installKnock(spec, { state })
    const doors = knock.doors.map(({ name, services }) => ({ name, service: services }))
    const list = doors.map(({ name, service }) => `  ${name}: ${service.join(', ')}\n`)
    return {
      json: { table: knock.table, doors },
      text: `table inet ${knock.table} stands\n${list.join('')}`,
    }
  },
}
