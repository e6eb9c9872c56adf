// knocklib install: the spec's table into the kernel, atomically.
import { installKnock } from '../index.js'
import type { CommandDefinition } from './command.js'
import { loadSpec } from './spec-file.js'

export const install: CommandDefinition = {
  usage: 'install <spec>',
  summary: 'install or replace the table, in one transaction',
  examples: ['knocklib install doors.json', 'knocklib install doors.yaml --table knock2'],
  async run([path], options) {
    const knock = await installKnock(await loadSpec(path as string, options))
    const doors = knock.doors.map(({ name, services }) => ({ name, service: services }))
    const list = doors.map(({ name, service }) => `  ${name}: ${service.join(', ')}\n`)
    return {
      json: { table: knock.table, doors },
      text: `table inet ${knock.table} stands\n${list.join('')}`,
    }
  },
}
