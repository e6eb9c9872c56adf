// knocklib run: installs a spec and keeps it standing, with its events as JSON lines, for a service
// manager.
import { setFlagsFromString } from 'node:v8'
import { type CommandDefinition, EXIT } from '../../command/command.js'
import { USUAL } from './run-events.js'
import { Runner } from './runner.js'

export const run: CommandDefinition = {
  usage: 'run <spec>',
  summary: 'install, and keep the table standing: put it back where it is flushed, refill, log',
  examples: [
    'knocklib run doors.yaml',
    'knocklib run doors.yaml --state /var/lib/knocklib/state.json --metrics 127.0.0.1:9477',
    'knocklib run doors.yaml --events all | jq -c',
    '',
    'Ends at SIGTERM and SIGINT; the table stays. SIGHUP reads the spec anew.',
    'Does the actions of the spec: programs that are run, and requests that are sent, at events.',
  ],
  options: [
    {
      flags: '--state <file>',
      description: 'where grants, bans and what has been used outlive a reboot',
    },
    {
      flags: '--metrics <address:port>',
      description: 'serve GET /metrics there, such as 127.0.0.1:9477 or [::1]:9477',
    },
    {
      flags: '--before <duration>',
      description:
        'how long before tokens or users end to warn (default: a tenth of what was ' +
        'loaded, at most 1d; 7d for users)',
    },
    {
      flags: '--events <list>',
      description: `which to write, such as granted,denied; all (default: ${USUAL.join(',')})`,
    },
  ],
  // Its events are JSON in any case.
  json: false,
  async run([path], options, context) {
    // Half a megabyte of new objects at a time is enough; V8 would let that grow to 48 MB, and keep
    // them.
    setFlagsFromString('--semi-space-growth-factor=1')
    const isSaved = await new Runner(path as string, options, context).run()
    return { text: '', exitCode: isSaved ? EXIT.done : EXIT.refused }
  },
}
