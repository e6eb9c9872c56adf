// Pairs of network namespaces: a server and a client that a veth pair joins. Runs programs inside
// them.
import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const NAMES = '/run/netns'
const PREFIX = 'knl'

/** The addresses of both ends. Sources in 10.99.0.0/16 and fd00:99::/64 are behind the client. */
export const SERVER = { 4: '10.77.0.1', 6: 'fd00:77::1', mac: '02:00:00:00:77:01' } as const
export const CLIENT = { 4: '10.77.0.2', 6: 'fd00:77::2', mac: '02:00:00:00:77:02' } as const
/** The interface of both ends. */
export const CABLE = 'eth0'

/** The nft under test. */
export const NFT = process.env['KNOCKLIB_NFT'] ?? 'nft'

export interface Output {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Pair extends AsyncDisposable {
  readonly server: string
  readonly client: string
}

export interface PairOptions {
  /** More addresses of the server, each with its prefix length. */
  readonly addresses?: readonly string[]
}

/** The namespaces that this process has made and not yet removed. */
const alive = new Set<string>()
let made = 0

/** Makes a pair. It is removed when it is disposed of, at the latest when the process ends. */
export async function createPair({ addresses = [] }: PairOptions = {}): Promise<Pair> {
  removeWithProcess()
  made += 1
  const server = `${PREFIX}-${process.pid}-${made}-srv`
  const client = `${PREFIX}-${process.pid}-${made}-cli`
  const remove = () => removeAll([server, client])
  try {
    alive.add(server).add(client)
    const ends = [server, 'type', 'veth', 'peer', 'name', CABLE, 'address', CLIENT.mac]
    const cable = ['link', 'add', CABLE, 'address', SERVER.mac, 'netns', ...ends]
    await ip(
      [],
      [
        ['netns', 'add', server],
        ['netns', 'add', client],
        [...cable, 'netns', client],
      ],
    )
    await Promise.all([
      ip(
        ['-n', server],
        [
          ...endOf([`${SERVER[4]}/24`, `${SERVER[6]}/64`, ...addresses]),
          ...introductionOf(CLIENT),
          ['route', 'add', '10.99.0.0/16', 'via', CLIENT[4]],
          ['route', 'add', 'fd00:99::/64', 'via', CLIENT[6]],
        ],
      ),
      ip(
        ['-n', client],
        [...endOf([`${CLIENT[4]}/24`, `${CLIENT[6]}/64`]), ...introductionOf(SERVER)],
      ),
    ])
  } catch (error) {
    remove()
    throw error
  }
  return { server, client, [Symbol.asyncDispose]: async () => remove() }
}

/** Returns the commands that give one end its addresses. */
const endOf = (addresses: readonly string[]): string[][] => [
  ['link', 'set', 'lo', 'up'],
  // No link-local address: the kernel would announce it in packets that no test sent.
  ['link', 'set', CABLE, 'addrgenmode', 'none', 'up'],
  ...addresses.map((address) => {
    const options = address.includes(':') ? ['nodad'] : []
    return ['address', 'add', address, 'dev', CABLE, ...options]
  }),
]

/** Returns the commands that make the other end a permanent neighbour, so that nothing asks. */
const introductionOf = (other: typeof SERVER | typeof CLIENT): string[][] =>
  [other[4], other[6]].map((address) => {
    const place = ['lladdr', other.mac, 'dev', CABLE, 'nud', 'permanent']
    return ['neighbour', 'replace', address, ...place]
  })

/** Runs all commands of `ip` in one process; otherwise a pair would take seventeen. */
async function ip(options: readonly string[], commands: readonly string[][]): Promise<void> {
  const args = [...options, '-batch', '-']
  const child = spawn('ip', args, { stdio: ['pipe', 'pipe', 'pipe'] })
  child.stdin.on('error', () => {}).end(textOf(commands))
  const { code, stderr } = await collect(child)
  if (code !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr.trim()}`)
}

const textOf = (commands: readonly string[][]): string =>
  commands.map((words) => `${words.join(' ')}\n`).join('')

/** Starts a program inside a network namespace. It shares the host's files. */
export function start(
  namespace: string,
  file: string,
  args: readonly string[],
  options: SpawnOptions = {},
): ChildProcess {
  return spawn('nsenter', [`--net=${join(NAMES, namespace)}`, file, ...args], options)
}

/** Runs a program inside a namespace, and resolves when it has ended. */
export function exec(
  namespace: string,
  file: string,
  args: readonly string[],
  options: Omit<SpawnOptions, 'stdio'> = {},
): Promise<Output> {
  return collect(start(namespace, file, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] }))
}

function collect(child: ChildProcess): Promise<Output> {
  const text = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream]?.setEncoding('utf8').on('data', (part: string) => {
      text[stream] += part
    })
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, ...text }))
  })
}

/** Lets nft execute a document (JSON) or a script (its own language), whole or not at all. */
export async function apply(
  namespace: string,
  content: object | string,
  nft: string = NFT,
): Promise<void> {
  // Knock sequences are secrets: no other user can read the file, and no argument shows them.
  const folder = await mkdtemp(join(tmpdir(), 'knocklib-'))
  try {
    const file = join(folder, 'ruleset')
    const isScript = typeof content === 'string'
    await writeFile(file, isScript ? content : JSON.stringify(content), { mode: 0o600, flag: 'wx' })
    const output = await exec(namespace, nft, [...(isScript ? [] : ['-j']), '-f', file])
    if (output.code !== 0) throw new Error(`nft -f: ${output.stderr.trim()}`)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Lists an inet table as nft's JSON; undefined if it does not exist. */
export async function listTable(
  namespace: string,
  table: string,
  nft: string = NFT,
): Promise<Record<string, unknown>[] | undefined> {
  const { code, stdout, stderr } = await exec(namespace, nft, [
    '-j',
    'list',
    'table',
    'inet',
    table,
  ])
  if (code === 0) return (JSON.parse(stdout) as { nftables: Record<string, unknown>[] }).nftables
  if (stderr.includes('No such file or directory')) return undefined
  throw new Error(`nft list table inet ${table}: ${stderr.trim()}`)
}

/** Removes the namespaces of processes that have ended. */
export function sweep(): void {
  let names: string[] = []
  try {
    names = readdirSync(NAMES)
  } catch {
    return
  }
  removeAll(names.filter((name) => isLeft(/^knl-(\d+)-\d+-(?:srv|cli)$/.exec(name)?.[1])))
}

function isLeft(pid: string | undefined): boolean {
  if (pid === undefined) return false
  try {
    process.kill(Number(pid), 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}

function removeAll(names: readonly string[]): void {
  if (names.length === 0) return
  const input = textOf(names.map((name) => ['netns', 'delete', name]))
  // `-force`: a missing one must not keep the others from being removed.
  spawnSync('ip', ['-force', '-batch', '-'], { input, stdio: ['pipe', 'ignore', 'ignore'] })
  for (const name of names) alive.delete(name)
}

let isArmed = false

function removeWithProcess(): void {
  if (isArmed) return
  isArmed = true
  process.on('exit', () => removeAll([...alive]))
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      removeAll([...alive])
      process.kill(process.pid, signal)
    })
  }
}
