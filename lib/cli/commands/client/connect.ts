// knocklib connect: knocks, connects, and passes bytes between the service and standard input and
// output.
import type { Socket } from 'node:net'
import { ArgumentError, type ConnectWait, connectDoor } from '../../../index.js'
import {
  type CommandDefinition,
  durationOf,
  EXIT,
  type Options,
  type Outcome,
} from '../../command/command.js'
import type { CommandProcess } from '../../command/context.js'
import { pipeConnection, standardEnds } from './pipe.js'
import { ProgressLine } from './progress.js'
import { CLIENT_OPTIONS, readSendOptions, readTarget } from './target.js'

export const connect: CommandDefinition = {
  usage: 'connect <host> [port]',
  summary: "knock, connect, and pass bytes: ssh's ProxyCommand",
  examples: [
    'knocklib connect home   # the profile home of ~/.config/knocklib; it names host and port',
    'knocklib connect server.example 22 --profile ~/.knock/server.yaml',
    'ssh -o ProxyCommand="knocklib connect home" server.example',
    '',
    'Many connections at once share one knock. None is sent while a grant stands whose time the',
    'profile says (for). Nothing but the data of the service is written to standard output.',
    '',
    'Exit codes: 5 refused, nothing listens there; 6 filtered, nothing came back.',
  ],
  options: [
    ...CLIENT_OPTIONS,
    {
      flags: '--within <duration>',
      description: 'for how long it knocks and tries (default: 15s, and a period of a token more)',
    },
    { flags: '-q, --quiet', description: 'print nothing but errors' },
  ],
  json: false,
  table: false,
  async run([host, port], options, { process }) {
    const socket = await open(host as string, port as string | undefined, options, process)
    try {
      await pipeConnection(socket, standardEnds(process))
    } catch (error) {
      return broken(error as Error, process)
    }
    return { text: '' }
  },
}

async function open(
  name: string,
  port: string | undefined,
  options: Options,
  { stderr, env }: CommandProcess,
): Promise<Socket> {
  if (port !== undefined && !/^[0-9]{1,5}$/.test(port)) {
    throw new ArgumentError(`connect: expected a TCP port, got ${port}`)
  }
  const { host, profile } = await readTarget('connect', [name], options, env)
  const line = new ProgressLine(stderr)
  const within = durationOf(options, 'within')
  try {
    return await connectDoor(host, profile, {
      ...readSendOptions('connect', options),
      ...(port !== undefined && { port: Number(port) }),
      ...(within !== undefined && { within }),
      ...(options['quiet'] !== true && {
        onProgress: (progress) => line.show(progress),
        onWait: (wait) => line.say(describe(wait)),
      }),
    })
  } finally {
    line.end()
  }
}

const describe = (wait: ConnectWait): string =>
  wait.reason === 'turn'
    ? 'waiting for another connection, which knocks'
    : `waiting ${Math.ceil(wait.seconds)} s for the next token`

/** A connection that came about and did not last. */
function broken({ message }: Error, { stderr }: CommandProcess): Outcome {
  stderr.write(`knocklib connect: the connection is broken: ${message}\n`)
  return { text: '', exitCode: EXIT.refused }
}
