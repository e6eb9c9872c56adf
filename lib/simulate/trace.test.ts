// A trace's file → its packets, or the line that is wrong.
import { join } from 'node:path'
import t from 'tap'
import { loadTrace, parseTrace } from './trace.js'

const PACKETS = [
  { at: 0, source: '10.77.0.2', to: 'tcp/7000' },
  { at: 0.5, source: 'fd00::1', to: 'icmp' },
]

t.test('lines are read, with comments and empty lines between', async (t) => {
  const text = '# seconds source to\n\n 0 10.77.0.2 tcp/7000 # first\n0.5\tfd00::1\ticmp\r\n'
  t.same(parseTrace(text), PACKETS)
  t.same(parseTrace(''), [])
  t.same(parseTrace('1 10.0.0.1 udp/6000 payload=00fF\n2 10.0.0.1 udp/1 payload=\n'), [
    { at: 1, source: '10.0.0.1', to: 'udp/6000', payload: '00fF' },
    { at: 2, source: '10.0.0.1', to: 'udp/1', payload: '' },
  ])
})

t.test('an error names the wrong line', async (t) => {
  for (const line of [
    '1 10.0.0.1',
    'one 10.0.0.1 tcp/1',
    '-1 a tcp/1',
    '1 a tcp/1 more',
    '1e3 a b',
    '1 a udp/1 payload=0',
    '1 a udp/1 payload=xy',
    '1 a udp/1 payload=00 more',
  ]) {
    t.throws(() => parseTrace(`0 a tcp/1\n${line}\n`), {
      code: 'invalid-packet',
      message:
        'loadTrace: line 2: expected seconds, source and destination, such as: 0.5 ' +
        `10.77.0.2 tcp/7000, got ${JSON.stringify(line)}`,
    })
  }
})

t.test('files of each form are read', async (t) => {
  const folder = t.testdir({
    'a.json': JSON.stringify(PACKETS),
    'a.yaml': JSON.stringify(PACKETS),
    'a.txt': '0 10.77.0.2 tcp/7000\n0.5 fd00::1 icmp\n',
    'no-list.json': '{}',
    'broken.json': '[',
  })
  for (const name of ['a.json', 'a.yaml', 'a.txt']) {
    t.same(await loadTrace(join(folder, name)), PACKETS, name)
  }
  const noList = loadTrace(join(folder, 'no-list.json'))
  await t.rejects(noList, { code: 'invalid-packet', message: /expected a list of packets/ })
  await t.rejects(loadTrace(join(folder, 'broken.json')), { code: 'invalid-document' })
  for (const name of ['nosuch.txt', 'nosuch.json', '.']) {
    await t.rejects(loadTrace(join(folder, name)), { code: 'invalid-argument' }, name)
  }
})
