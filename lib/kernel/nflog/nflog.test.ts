// NFLOG's messages as Linux 6.18 wrote them → logged packets; requests → messages.
import t from 'tap'
import { parseMessages } from '../netlink/wire.js'
import { missingBefore, parseAnswer, parsePacket, renderBind } from './nflog.js'
import { formatService, parsePacketHead } from './packet-head.js'

const MESSAGES = {
  acknowledged: ['240000000200000101000000584700080000000038000000010405000100000000000000'].join(
    '',
  ),
  token: [
    'cc00000000040000000000000000000002000005080001000800010026000a006b6c206b6e6f636b20677261',
    '6e74656420737368206f70656e20312f3120616e610000000800040000000001100008000006000000000000',
    '0000000006000f000304000006001100000e0000120010000000000000000000000000000800000014000300',
    '000000006b017d44000000000008db7708000c0000000000300009004500002c584c40004011e4727f000001',
    '7f000001b7191b580018fe2b30313233343536373839616263646566',
  ].join(''),
  overIpv6: [
    'd40000000004000000000000000000000a0000050800010086dd010026000a006b6c206b6e6f636b20677261',
    '6e74656420737368206f70656e20312f3120616e610000000800040000000001100008000006000000000000',
    '0000000006000f000304000006001100000e00001200100000000000000000000000000086dd000014000300',
    '000000006b017d44000000000008dbba08000c000000000136000900600f713b000a11400000000000000000',
    '000000000000000100000000000000000000000000000001cb9e1b58000a001d68690000',
  ].join(''),
}

const read = (name: keyof typeof MESSAGES) => {
  const [message] = parseMessages(Buffer.from(MESSAGES[name], 'hex'))
  if (!message) throw new Error('no message')
  return message
}

t.test('the kernel acknowledges a request for a group', async (t) => {
  t.equal(parseAnswer(read('acknowledged').payload), 0)
  const [request, ...rest] = parseMessages(renderBind(5, 128, 1))
  t.same(rest, [])
  t.match(request, { type: 0x401, flags: 5, sequence: 1 })
  t.equal(
    Buffer.from(request?.payload ?? []).toString('hex'),
    '0000000505000100010000000a0002000000008002000000' +
      '080003000000000108000500000000010600060000010000',
    'group 5, bind, 128 bytes, a byte of buffer, one at a time, numbered',
  )
})

t.test('a logged packet', async (t) => {
  const logged = parsePacket(read('token').payload)
  t.equal(logged.prefix, 'kl knock granted ssh open 1/1 ana')
  t.equal(logged.sequence, 0)
  const head = parsePacketHead(logged.payload)
  t.match(head, { source: '127.0.0.1', protocol: 17, port: 7000 })
  t.equal(Buffer.from(head?.data ?? []).toString(), '0123456789abcdef')
  t.equal(head && formatService(head), 'udp/7000')
  const six = parsePacket(read('overIpv6').payload)
  t.equal(six.sequence, 1)
  t.match(parsePacketHead(six.payload), { source: '::1', protocol: 17, port: 7000 })
})

t.test('gaps in the numbers', async (t) => {
  t.equal(missingBefore(7, undefined), 0)
  t.equal(missingBefore(8, 7), 0)
  t.equal(missingBefore(12, 7), 4)
  t.equal(missingBefore(2, 0xffff_fffe), 3, 'around 2^32')
})

const bytes = (...parts: string[]) => new Uint8Array(Buffer.from(parts.join(''), 'hex'))
const SIX = (next: string) => `600000000000${next}40${'fd'.padEnd(32, '0')}${'0'.repeat(32)}`

t.test('the heads of packets', async (t) => {
  const four = (protocol: string, flags = '0000') =>
    `460000000000${flags}40${protocol}00000a4d00020a4d0001`
  const options = '01010100'
  const ports = '30390016'
  const tcp = { source: '10.77.0.2', protocol: 6, port: 22 }
  t.same(parsePacketHead(bytes(four('06'), options, ports)), tcp, 'with IP options')
  const piece = { source: '10.77.0.2', protocol: 6 }
  t.same(parsePacketHead(bytes(four('06', '0001'), options, ports)), piece, 'a later piece')
  t.same(parsePacketHead(bytes(four('06'), options)), piece, 'cut before its ports')
  const icmp = parsePacketHead(bytes(four('01'), options, ports))
  t.same(icmp, { source: '10.77.0.2', protocol: 1 })
  t.equal(icmp && formatService(icmp), undefined)
  t.equal(formatService({ source: '::', protocol: 132, port: 22 }), undefined, 'no word for SCTP')

  const hop = (next: string) => `${next}00000000000000`
  const fragment = (next: string, offset: string) => `${next}00${offset}00000001`
  const authentication = (next: string) => `${next}04${'00'.repeat(22)}`
  const six = { source: 'fd00::', protocol: 6, port: 22 }
  t.same(parsePacketHead(bytes(SIX('06'), ports)), six)
  t.same(parsePacketHead(bytes(SIX('00'), hop('3c'), hop('06'), ports)), six, 'two extensions')
  t.same(parsePacketHead(bytes(SIX('33'), authentication('06'), ports)), six, 'authentication')
  t.same(parsePacketHead(bytes(SIX('2c'), fragment('06', '0001'), ports)), six, 'a first piece')
  const later = { source: 'fd00::', protocol: 6 }
  t.same(parsePacketHead(bytes(SIX('2c'), fragment('06', '0008'), ports)), later, 'a later piece')

  for (const cut of [
    '',
    '45',
    '60',
    four('06').slice(0, 38),
    SIX('06').slice(0, 78),
    '00'.repeat(40),
  ])
    t.equal(parsePacketHead(bytes(cut)), undefined, `no head: ${cut}`)
})

t.test('of a datagram what its own length says, as far as it is there', async (t) => {
  const data = (length: string, ...behind: string[]) => {
    const head = parsePacketHead(bytes(SIX('11'), '30390035', length, '0000', ...behind))
    return Buffer.from(head?.data ?? []).toString('hex')
  }
  t.equal(data('000a', 'abcd'), 'abcd')
  t.equal(data('000a', 'abcd', '00000000'), 'abcd', 'without what pads the frame')
  t.equal(data('0058', 'abcd'), 'abcd', 'cut')
  t.equal(data('0004', 'abcd'), '', 'a length of less than its header')
})
