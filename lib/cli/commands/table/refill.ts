// knocklib refill: tokens and rotating sequences, loaded ahead anew.
import { refillKnock } from '../../../index.js'
import type { CommandDefinition } from '../../command/command.js'
import { loadSpec } from '../../command/spec-file.js'

export const refill: CommandDefinition = {
  usage: 'refill <spec>',
  summary:
    'load tokens and rotating sequences ahead anew: for a timer, well before their horizon ends',
  examples: [
    'knocklib refill /etc/knock/doors.json',
    'systemd-run --on-calendar=daily knocklib refill /etc/knock/doors.json',
    '',
    'A token opens from when it is loaded: up to the horizon before its period.',
    'A rotating sequence opens in its period alone.',
  ],
  isRemote: true,
  async run([path], options, { kernel }) {
    const spec = await loadSpec(path as string, options)
    await refillKnock(spec, kernel)
    const { table } = spec
    return { json: { table, refilled: true }, text: `table inet ${table} is filled anew\n` }
  },
}
