// A folder with specs, traces and profiles → the built command, run at a server and a client in
// namespaces.
import { chmodSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { CLI } from '../machine/built.js'
import { createPair, exec, NFT, type Output, type Pair } from '../machine/namespaces.js'

const SPEC = {
  doors: [
    {
      name: 'ssh',
      service: 'tcp/22',
      knock: {
        type: 'sequence',
        steps: ['tcp/7000', 'tcp/7001', 'udp/8000', 'icmp'],
        stepTimeout: 20,
      },
      open: { for: '60s' },
    },
  ],
}

const YAML = `
# What a person would write.
doors:
  - name: ssh
    service: tcp/22
    knock: { type: sequence, steps: [tcp/7000, tcp/7001, udp/8000, icmp], stepTimeout: 20 }
    open: { for: 60s }
  - name: web
    service: [tcp/80, tcp/443, udp/5000-5010]
    knock: { type: sequence, steps: [udp/9000] }
    open: { for: 2m }
`

/** The steps that open the door `ssh`, in the form of a command line. */
export const STEPS = ['tcp/7000', '7001', '8000:udp', 'icmp']

const TRACE = `
# seconds  source  where to
0    10.77.0.2  tcp/7000
0.5  10.77.0.2  tcp/7001
1    10.77.0.2  udp/8000
1.5  10.77.0.2  icmp
2    10.77.0.2  tcp/22
2    10.77.0.9  tcp/22
`

const JSON_TRACE = JSON.stringify([
  { at: 0, source: 'fd00::1', to: 'tcp/7000' },
  { at: 1, source: 'fd00::2', to: 'tcp/22' },
])

const WRONG_SPEC = {
  ...SPEC,
  table: '9x',
  extra: 1,
  doors: [{ ...SPEC.doors[0], service: 'tcp/0', open: { for: '0s' } }],
}

/** Some lines of YAML whose aliases expand to more than fits into memory. */
const BOMB = ['b', 'c', 'd', 'e', 'f', 'g', 'h'].reduce((text, name, index, names) => {
  const before = index === 0 ? 'a' : names[index - 1]
  return `${text}${name}: &${name} [${`*${before}, `.repeat(9)}]\n`
}, 'a: &a [1, 2, 3, 4, 5, 6, 7, 8, 9]\n')

/** Files that are wrong, each in another way. */
const WRONG = {
  'wrong.json': JSON.stringify(WRONG_SPEC),
  'broken.json': '{ "doors": ',
  'broken.yaml': 'doors: [\n',
  'bomb.yaml': BOMB,
  'null.json': 'null',
  'trace-line.txt': '0 10.77.0.2 tcp/7000\nsoon 10.77.0.2 tcp/7001\n',
  'trace-payload.txt': '0 10.77.0.2 udp/6000 payload=xyz\n',
  'trace-null.json': '[null]',
  'trace-flags.json': '[{"at":0,"source":"10.0.0.1","to":"tcp/1","flags":"syn"}]',
  'client-key.json': '{"steps":[7000],"gaps":"1s"}',
  'client-step.json': '{"steps":[7000,null]}',
  'client-none.json': '{"steps":[]}',
  'client-two.json': '{"steps":[7000],"token":{"door":"ssh","port":"tcp/1"}}',
  'client-secret.json':
    '{"token":{"door":"ssh","port":"udp/6000","secretFile":"nosuch.key","period":"30s"}}',
  'client-open.json': '{"token":{"door":"ssh","port":"udp/6000","secretFile":"doors.json"}}',
  'client-once.yaml': 'oneTime: [[7000]]\n',
  'client-spent.json': '{"oneTime":[]}',
}

function folderOf(t: Test): string {
  const folder = t.testdir({
    ...WRONG,
    'doors.json': JSON.stringify(SPEC),
    'doors.yaml': YAML,
    'trace.txt': TRACE,
    'trace.json': JSON_TRACE,
    'client.json': JSON.stringify({ steps: STEPS, gap: '20ms' }),
    'client.yaml': `steps:\n${STEPS.map((step) => `  - ${step}\n`).join('')}`,
  })
  // knocklib warns of a spec that other users can read.
  chmodSync(folder, 0o700)
  return folder
}

/** Runs commands at a server and a client, in a folder with files. */
export class User {
  readonly pair: Pair
  /** The folder of the files. */
  readonly folder: string
  readonly #nft: string

  constructor(pair: Pair, folder: string, nft: string = NFT) {
    this.pair = pair
    this.folder = folder
    this.#nft = nft
  }

  /** Runs the command at the server, perhaps through another program. It may fail. */
  try(args: readonly string[], { env = {}, through = [] }: Circumstances = {}): Promise<Output> {
    return this.#run(this.pair.server, [...through, process.execPath, CLI, ...args], env)
  }

  /** Runs the command at the server. It must succeed and write nothing to stderr. */
  serve(t: Test, ...args: readonly string[]): Promise<string> {
    return this.#succeed(t, this.pair.server, args)
  }

  /** Runs the command at the client. It must succeed and write nothing to stderr. */
  call(t: Test, ...args: readonly string[]): Promise<string> {
    return this.#succeed(t, this.pair.client, args)
  }

  /** Writes a file into the folder, readable by its owner only. */
  write(name: string, content: unknown): Promise<void> {
    const text = typeof content === 'string' ? content : JSON.stringify(content)
    return writeFile(join(this.folder, name), text, { mode: 0o600 })
  }

  /** Runs a line of shell at the server, with the command as $KNOCKLIB and nft as $NFT. */
  shell(script: string): Promise<Output> {
    const env = { KNOCKLIB: `${process.execPath} ${CLI}`, NFT: this.#nft }
    return this.#run(this.pair.server, ['bash', '-c', script], env)
  }

  async #succeed(t: Test, namespace: string, args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.#run(namespace, [process.execPath, CLI, ...args])
    t.same({ code, stderr }, { code: 0, stderr: '' }, `knocklib ${args.join(' ')}`)
    return stdout
  }

  #run(namespace: string, argv: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Output> {
    const [file = '', ...args] = argv
    const all = { ...process.env, FORCE_COLOR: undefined, KNOCKLIB_NFT: this.#nft, ...env }
    return exec(namespace, file, args, { cwd: this.folder, env: all })
  }
}

interface Circumstances {
  readonly env?: NodeJS.ProcessEnv
  readonly through?: readonly string[]
}

/** Runs a test at a pair of its own. */
export function atServer(
  name: string,
  skip: string | false,
  run: (t: Test, user: User) => Promise<void>,
  nft: string = NFT,
): void {
  t.test(name, { skip, buffered: true }, async (t) => {
    await using pair = await createPair()
    await run(t, new User(pair, folderOf(t), nft))
  })
}
