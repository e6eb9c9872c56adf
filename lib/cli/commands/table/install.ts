// knocklib install: the spec's table into the kernel, atomically.
import { closingNotes } from '../../../api/closing.js'
import { installKnock } from '../../../index.js'
import { type CommandDefinition, durationOf, STRICT, textOf } from '../../command/command.js'
import { findExposure } from '../../command/exposed.js'
import { loadSpec } from '../../command/spec-file.js'
import { loadStateFor, type ReadState } from '../../command/state-file.js'

export const install: CommandDefinition = {
  usage: 'install <spec>',
  summary: 'install the table or change it in place, in one transaction',
  examples: [
    'knocklib install doors.json',
    'knocklib install doors.yaml --table knock2',
    'knocklib install doors.yaml --confirm 60s   # then, from another session: knocklib confirm',
    'knocklib install doors.yaml --confirm 60s --host root@server   # by ssh; no Node there',
    'knocklib install doors.yaml --state /var/lib/knocklib/state.json',
  ],
  options: [
    {
      flags: '--confirm <time>',
      description: 'unless confirmed in this time, the doors fall open again by themselves',
    },
    {
      flags: '--state <file>',
      description: 'a saved state, in place with the table; none where there is no such file yet',
    },
    STRICT,
  ],
  isRemote: true,
  async run([path], options, { process, kernel }) {
    const spec = await loadSpec(path as string, options)
    const file = textOf(options, 'state')
    const { state, error }: ReadState =
      file === undefined ? { state: undefined } : await loadStateFor(spec, file)
    if (error !== undefined) process.stderr.write(`knocklib install: ${error}\n`)
    const confirmWithin = durationOf(options, 'confirm')
    const knock = await installKnock(spec, {
      ...kernel,
      ...{ state, confirmWithin },
      strict: options['strict'] === true,
      warnings: await findExposure(path as string, spec),
    })
    const notes = await closingNotes(spec, kernel)
    const heard = notes.map(({ message }) => `note: ${message}\n`)
    const doors = knock.doors.map(({ name, services }) => ({ name, service: services }))
    const list = doors.map(({ name, service }) => `  ${name}: ${service.join(', ')}\n`)
    const { table } = knock
    const host = textOf(options, 'host')
    const there = host === undefined ? '' : ` --host ${host}`
    const confirm =
      confirmWithin === undefined
        ? ''
        : 'unless confirmed within ' +
          `${confirmWithin}${typeof confirmWithin === 'number' ? ' s' : ''} the doors ` +
          `fall open: knocklib confirm --table ${table}${there}\n`
    return {
      json: {
        ...{ table, doors, notes, changed: knock.outcome !== 'unchanged' },
        ...(confirmWithin !== undefined && { confirmWithin }),
        ...(error !== undefined && { state: { error } }),
      },
      warnings: knock.warnings,
      text: `table inet ${table} stands\n${list.join('')}${heard.join('')}${confirm}`,
    }
  },
}
