// Versions of nft → the bytes that each sends to the kernel and receives, in
// integration/captures/netlink.json.
//
//   npm run bench -- capture      as root, with strace, in network namespaces of its own
import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DOCUMENTS } from '../captures/documents.js'
import { apply, createPair, sweep } from '../machine/namespaces.js'
import { nftVersions } from '../machine/nft-versions.js'

const TABLE = `table inet knock {
  set grants_ssh_4 { type ipv4_addr; flags timeout; size 1000; }
  set grants_ssh_6 { type ipv6_addr; flags timeout; size 1000; }
  set used1_ssh_4 { type ipv4_addr; flags timeout; size 1000; }
  set used1_ssh_6 { type ipv6_addr; flags timeout; size 1000; }
  set grants_all_0 { type mark; flags timeout; size 16; }
  set banned_4 { type ipv4_addr; flags timeout; size 1000; }
}
`

const QUESTIONS = {
  'list of two': ['list', 'set', 'inet', 'knock', 'grants_ssh_4'],
  'list of one': ['list', 'set', 'inet', 'knock', 'grants_ssh_6'],
  'list for everyone': ['list', 'set', 'inet', 'knock', 'grants_all_0'],
  'list of none': ['list', 'set', 'inet', 'knock', 'banned_4'],
  'get one': ['get', 'element', 'inet', 'knock', 'grants_ssh_4', '{ 203.0.113.7 }'],
}

interface Datagrams {
  readonly sent: string[]
  readonly received: string[]
}

/** Reads the datagrams in strace's output, in hexadecimal. */
function parseTrace(text: string): Datagrams {
  const datagrams: Datagrams = { sent: [], received: [] }
  let list: string[] | undefined
  for (const line of text.split('\n')) {
    if (/send(msg|to)\(/.test(line)) list = datagrams.sent
    else if (line.includes('recvmsg(')) list = datagrams.received
    const bytes = /^ \| [0-9a-f]{5} {2}((?:[0-9a-f]{2} {1,2})+)/.exec(line)?.[1]
    if (!bytes || !list) continue
    const isFirst = line.startsWith(' | 00000')
    list.push(`${isFirst ? '' : list.pop()}${bytes.replace(/ /g, '')}`)
  }
  return { sent: datagrams.sent.filter(isOurs), received: datagrams.received.filter(isOurs) }
}

/** The types of messages to keep: errors, ends of dumps, batches and elements. */
const TYPES = new Set([0x2, 0x3, 0x10, 0xa0c, 0xa0d, 0xa0e])
const isOurs = (hex: string): boolean => TYPES.has(Buffer.from(hex, 'hex').readUInt16LE(4))

function trace(namespace: string, nft: string, args: readonly string[]): Datagrams {
  const strace = ['-f', '-e', 'trace=sendmsg,sendto,recvmsg', '-e', 'write=all', '-e', 'read=all']
  const command = [`--net=/run/netns/${namespace}`, 'strace', ...strace, nft, ...args]
  const { error, stderr } = spawnSync('nsenter', command, { encoding: 'utf8' })
  if (error) throw error
  return parseTrace(stderr)
}

sweep()
const folder = await mkdtemp(join(tmpdir(), 'knocklib-capture-'))
const captures: Record<string, Record<string, Datagrams>> = {}
try {
  for (const { version, path } of await nftVersions()) {
    await using pair = await createPair()
    await apply(pair.server, TABLE, path)
    const own: Record<string, Datagrams> = {}
    for (const [name, document] of Object.entries(DOCUMENTS)) {
      const file = join(folder, 'document.json')
      await writeFile(file, JSON.stringify(document))
      own[name] = trace(pair.server, path, ['-j', '-f', file])
      if (name !== 'open for everyone') continue
      for (const [question, args] of Object.entries(QUESTIONS))
        own[question] = trace(pair.server, path, ['-j', ...args])
    }
    captures[version] = own
  }
} finally {
  await rm(folder, { recursive: true })
}
await writeFile('integration/captures/netlink.json', `${JSON.stringify(captures, null, 2)}\n`)
