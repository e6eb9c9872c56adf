// nftables' notifications as Linux 6.18 wrote them → a summary of each transaction.
import t from 'tap'
import { type NetlinkMessage, parseMessages } from '../netlink/wire.js'
import { ChangeCollector, type TableChange } from './changes.js'

const MESSAGES = {
  opened: [
    '600000000c0a00040000000069470000010000030a0001006b6e6f636b000000110002006772616e74735f73',
    '73685f34000000002c000300280001000c000100080001000a0000010c00040000000000000075300c000500',
    '0000000000007530600000000e0a00000000000069470000010000030a0001006b6e6f636b00000011000200',
    '6772616e74735f7373685f34000000002c000300280001000c000100080001000a0000010c00040000000000',
    '000075300c0005000000000000007530600000000c0a00040000000069470000010000030a0001006b6e6f63',
    '6b000000110002006772616e74735f7373685f34000000002c000300280001000c000100080001000a000001',
    '0c0004000000000000004e200c0005000000000000004e206c0000000c0a0004000000006947000001000003',
    '0a0001006b6e6f636b000000110002006772616e74735f7373685f3600000000380003003400010018000100',
    '14000100fd0000000000000000000000000000070c0004000000000000004e200c0005000000000000004e20',
  ].join(''),
  closed: [
    '600000000e0a0000000000006b470000010000040a0001006b6e6f636b000000110002006772616e74735f73',
    '73685f34000000002c000300280001000c000100080001000a0000010c0004000000000000004e200c000500',
    '0000000000004e04',
  ].join(''),
  newTable: [
    '3c000000000a00000100000065470000010000020a0001006b6e6f636b00000008000300000000030c000400',
    '00000000000000010800020000000000',
  ].join(''),
  delTable: [
    '34000000020a0000010000006d470000010000050a0001006b6e6f636b00000008000300000000000c000400',
    '0000000000000001',
  ].join(''),
  delRule: [
    '68010000080a0000010000006d470000010000050a0001006b6e6f636b00000007000200696e00000c000300',
    '00000000000000043401040024000100090001006d6574610000000014000200080002000000001008000100',
    '000000012c00010008000100636d700020000200080001000000000108000200000000000c00030005000100',
    '11000000340001000c0001007061796c6f616400240002000800010000000001080002000000000208000300',
    '0000000208000400000000022c00010008000100636d70002000020008000100000000010800020000000000',
    '0c000300060001001b58000050000100080001006c6f670044000200260002006b6c206b6e6f636b20677261',
    '6e74656420737368206f70656e20312f3120616e610000000600010000050000080003000000008006000400',
    '00010000300001000e000100696d6d6564696174650000001c0002000800010000000000100002000c000200',
    '0800010000000000',
  ].join(''),
  end: [
    '2c0000000f0a000001000000654700000000000208000100000000020800020000004765080003006e667400',
  ].join(''),
}

type Name = keyof typeof MESSAGES

function collect(names: readonly Name[], isWatched = (set: string) => set.startsWith('grants_')) {
  const collector = new ChangeCollector(isWatched)
  return names.flatMap((name) =>
    parseMessages(Buffer.from(MESSAGES[name], 'hex')).flatMap((message) => [
      ...collector.take(message),
    ]),
  )
}

const change = (parts: Partial<TableChange>): TableChange => ({
  table: 'knock',
  event: 'changed',
  shape: false,
  sets: [],
  elements: [],
  more: false,
  ...parts,
})

t.test('nothing is reported before the end of a transaction, and then its sum', async (t) => {
  t.same(collect(['opened']), [])
  const elements = [
    { set: 'grants_ssh_4', key: '0a000001', expiresIn: 20_000 },
    { set: 'grants_ssh_6', key: 'fd000000000000000000000000000007', expiresIn: 20_000 },
  ]
  t.same(collect(['opened', 'end']), [change({ elements })], 'added, deleted and added: added')
  const gone = { set: 'grants_ssh_4', key: '0a000001', expiresIn: null }
  t.same(collect(['closed', 'end']), [change({ elements: [gone] })])
  t.same(collect(['opened', 'end', 'closed', 'end']).length, 2, 'two transactions')
})

t.test('elements of other sets are reported by the set', async (t) => {
  const sets = ['grants_ssh_4', 'grants_ssh_6']
  t.same(
    collect(['opened', 'end'], () => false),
    [change({ sets })],
  )
})

t.test('tables and rules', async (t) => {
  t.same(collect(['newTable', 'end']), [change({ event: 'made', shape: true })])
  t.same(collect(['delRule', 'end']), [change({ shape: true })])
  t.same(collect(['delRule', 'delTable', 'end']), [change({ event: 'removed', shape: true })])
  t.same(collect(['delTable', 'newTable', 'end']), [change({ event: 'made', shape: true })])
  t.same(collect(['end']), [], 'a transaction without changes of tables')
})

t.test('many elements come in parts, each with the summary of the whole transaction', async (t) => {
  const collector = new ChangeCollector(() => true)
  const messageOf = (name: Name) =>
    parseMessages(Buffer.from(MESSAGES[name], 'hex'))[0] as NetlinkMessage
  const opened = messageOf('opened')
  const at = Buffer.from(opened.payload).indexOf(Buffer.from('0a000001', 'hex'))
  collector.take(messageOf('newTable'))
  for (let n = 0; n < 5000; n += 1) {
    const payload = Buffer.from(opened.payload)
    payload.writeUInt32BE(n, at)
    collector.take({ ...opened, payload })
  }
  const changes = collector.take(messageOf('end'))
  const whole = { table: 'knock', event: 'made', shape: true, sets: [], more: false }
  t.match(changes, [whole, { ...whole, isLater: true }])
  t.same(
    changes.map(({ elements }) => elements.length),
    [4096, 904],
  )
})

t.test('messages that are not about our tables', async (t) => {
  const collector = new ChangeCollector(() => true)
  const payload = new Uint8Array([2, 0, 0, 0])
  const message = { flags: 0, sequence: 0, port: 0, payload }
  t.same(collector.take({ ...message, type: 2 }), [], 'no notification')
  t.same(collector.take({ ...message, type: 0x0a00 }), [], 'a table of another family')
  t.same(collector.take({ ...message, type: 0x0a0f }), [])
})
