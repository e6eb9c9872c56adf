// Which format can write which kind of knock → the table on the page of clients; PowerShell's
// scripts → what a parser of PowerShell finds.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import t from 'tap'
import { ArgumentError, type KnockProfile } from '../../lib/index.js'
import { FORMATS, formatOf } from '../../lib/profile/formats.js'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const PAGE = readFileSync(join(ROOT, 'docs/start/clients.md'), 'utf8')

const head = { host: 'server.example', door: 'ssh', port: 22, for: '30s' } as const
const secretFile = 'ana.key'
const token = { port: 'udp/6100', secretFile, period: '30s' } as const

/**
 * A profile of each kind of knock that clients differ in, by the words that the page of clients has
 * for them.
 */
const PROFILES: Readonly<Record<string, KnockProfile>> = {
  'steps of TCP and UDP': { ...head, steps: ['tcp/7000', 'udp/8000', 'tcp/9000'] },
  'steps with icmp': { ...head, steps: ['tcp/7000', 'icmp', 'icmpv6'] },
  'steps with a length': {
    ...head,
    steps: ['tcp/7000', { protocol: 'udp', port: 8000, length: 33 }],
  },
  'steps with TCP flags': { ...head, steps: [{ protocol: 'tcp', port: 7000, flags: 'fin,!syn' }] },
  'one-time sequences': { ...head, oneTime: [['tcp/7000', 'tcp/8000'], ['tcp/7100']] },
  'rotating sequences': {
    ...head,
    rotate: { secretFile, every: '1h', steps: 4, protocol: 'udp', ports: '20000-60000' },
  },
  'a token, carrier udp': { ...head, token },
  'a token, carrier stun': { ...head, token: { ...token, carrier: 'stun' } },
  'a token, carrier dns': { ...head, token: { ...token, carrier: 'dns' } },
  'a rate': { ...head, rate: { port: 'tcp/22', hits: 2, min: '3s', max: '5s' } },
  'a rhythm': { ...head, rhythm: { port: 'tcp/443', counts: [1, 2, 3], window: '4s' } },
}

/** The table's rows, by their first cell, and its head. */
function tableOf(page: string): { head: string[]; rows: Map<string, string[]> } {
  const [head = [], , ...rows] = page
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) => line.split('|').slice(1, -1))
    .map((cells) => cells.map((cell) => cell.trim().replaceAll('`', '')))
  return { head: head.slice(1), rows: new Map(rows.map(([name = '', ...cells]) => [name, cells])) }
}

const SECRET = new TextEncoder().encode('a secret of more than sixteen bytes')

const write = async (format: string, kind: string): Promise<string | undefined> => {
  try {
    const context = { name: 'server', secret: SECRET, script: '', isFile: true }
    // The command looks the host's addresses up for a page.
    const found = format === 'page' && { addresses: ['203.0.113.1'] }
    return await formatOf(format).write({ ...PROFILES[kind], ...found }, context)
  } catch (error) {
    if (!(error instanceof ArgumentError)) throw error
    return undefined
  }
}

t.test('the table of kinds and clients is right', async (t) => {
  const { head, rows } = tableOf(PAGE)
  t.strictSame([...head].sort(), Object.keys(FORMATS).sort(), 'each format')
  t.strictSame([...rows.keys()], Object.keys(PROFILES), 'each kind')
  for (const [kind, cells] of rows) {
    const written = await Promise.all(head.map((format) => write(format, kind)))
    const found = written.map((text) => (text === undefined ? 'no' : 'yes'))
    t.strictSame(cells, found, kind)
  }
})

t.test('what cannot be written is refused with what was found', async (t) => {
  const refused: [format: string, kind: string, message: RegExp][] = [
    ['yaml', 'one-time sequences', /--format yaml: expected json for one-time sequences/],
    [
      'sh',
      'one-time sequences',
      /--format sh: expected a knock that can be sent again, got one-time/,
    ],
    [
      'bash',
      'steps with TCP flags',
      /expected a plain SYN's flags, got flags of their own at tcp\/7000/,
    ],
    ['knock', 'steps with icmp', /expected steps of tcp and udp without a length, got icmp$/],
    ['knock', 'steps with a length', /without a length, got udp\/8000$/],
    ['knock', 'a token, carrier udp', /expected ports that are written down, got what is derived/],
    ['knocksettings', 'a rate', /expected packets counted in windows of time, got a knock of rate/],
  ]
  for (const [format, kind, message] of refused) {
    const written = async () => formatOf(format).write(PROFILES[kind] ?? {}, { name: 'server' })
    await t.rejects(written(), { code: 'invalid-argument', message }, `${format}: ${kind}`)
  }
})

interface Node {
  readonly isError: boolean
  readonly isMissing: boolean
  readonly text: string
  readonly type: string
  readonly children: readonly Node[]
}

/**
 * Reads a script as an editor does; lists what is no PowerShell, and the commands that it calls.
 */
async function powerShellParser(): Promise<(text: string) => { wrong: string[]; calls: string[] }> {
  // Optimising the parser would take V8 longer than all else here.
  setFlagsFromString('--liftoff-only')
  const load = createRequire(import.meta.url)
  const { Parser, Language } = load('@vscode/tree-sitter-wasm')
  await Parser.init()
  const folder = dirname(load.resolve('@vscode/tree-sitter-wasm'))
  const parser = new Parser()
  parser.setLanguage(await Language.load(join(folder, 'tree-sitter-powershell.wasm')))
  return (text) => {
    const [wrong, calls]: [string[], string[]] = [[], []]
    const walk = (node: Node): void => {
      if (node.isError || node.isMissing) wrong.push(`${node.type}: ${node.text.slice(0, 60)}`)
      if (node.type === 'command_name') calls.push(node.text)
      node.children.forEach(walk)
    }
    walk(parser.parse(text).rootNode)
    return { wrong, calls }
  }
}

/** Of PowerShell itself. */
const COMMANDS = [
  ...['New-Object', 'Start-Sleep', 'ForEach-Object', 'Where-Object', 'Write-Verbose'],
  ...['Join-Path', 'Resolve-Path'],
]

t.test("a parser of PowerShell takes each script, and knows each command's function", async (t) => {
  const parse = await powerShellParser()
  t.not(parse('foreach ($a in $b) { Send-Syn 7000').wrong.length, 0, 'it refuses what is none')
  for (const kind of Object.keys(PROFILES)) {
    const script = await write('powershell', kind)
    if (script === undefined) continue
    const { wrong, calls } = parse(script)
    t.strictSame(wrong, [], kind)
    const own = [...script.matchAll(/^function ([A-Za-z-]+)/gm)].map(([, name]) => name)
    const unknown = calls.filter((name) => !COMMANDS.includes(name) && !own.includes(name))
    t.strictSame(unknown, [], `${kind}: commands`)
    for (const name of own) t.ok(calls.includes(String(name)), `${kind}: ${name} is called`)
  }
})

t.test('no script holds a secret', async (t) => {
  for (const kind of Object.keys(PROFILES)) {
    for (const [name, format] of Object.entries(FORMATS)) {
      if ('needsSecret' in format) continue
      const text = (await write(name, kind)) ?? ''
      t.notOk(text.includes('more than sixteen'), `${name}: ${kind}`)
    }
  }
})
