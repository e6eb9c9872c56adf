// Text that keeps the contents of a table: what it flushes, what it fills, and what it leaves.
import t from 'tap'
import { renderKnock, renderKnockText } from '../../api/render.js'
import { partsOf } from '../parts.js'

const SPEC = {
  guard: { trusted: ['192.168.1.0/24'], ban: { after: 3, within: '1m', for: '1h' } },
  doors: [
    {
      name: 'ssh',
      service: 'tcp/22',
      knock: [
        {
          type: 'sequence',
          steps: ['tcp/7000', 'udp/8000', 'icmp'],
          stepTimeout: '5s',
          timeout: '8s',
        },
        { type: 'rhythm', port: 'udp/7001', counts: [1, 2], window: '4s' },
      ],
      open: { for: '30s', connections: 2 },
    },
  ],
} as const

const text = renderKnockText(SPEC, { keep: true })
const lines = text.split('\n').map((line) => line.trim())
const flushed = lines.flatMap(
  (line) => /^flush (?:set|map) inet knock ([\w-]+)$/.exec(line)?.[1] ?? [],
)

t.test('the text flushes the rules of the table, and never deletes the table', async (t) => {
  const first = lines.filter((line) => /^(add|delete|flush) table/.test(line))
  t.same(first, ['add table inet knock', 'flush table inet knock'])
})

t.test('grants and bans stay, and attempts under way begin again', async (t) => {
  for (const kept of ['grants_ssh_4', 'used1_ssh_6', 'banned_4', 'strikes_6', 'syns_4']) {
    t.match(text, `set ${kept} {`, kept)
    t.notOk(flushed.includes(kept), kept)
  }
  for (const begun of [
    'stage1_ssh_4',
    'attempt_ssh_6',
    'open2_stage1_ssh_4',
    'open2_armed_ssh_6',
  ]) {
    t.ok(flushed.includes(begun), begun)
  }
})

t.test('constant sets and maps are filled anew', async (t) => {
  t.ok(flushed.includes('about'), 'the description of the table is flushed')
  t.ok(flushed.includes('trusted_4'), 'trusted addresses are flushed')
  t.match(text, '192.168.1.0/24')
  for (const mark of ['serial', 'trial']) t.match(text, `delete set inet knock ${mark}`)
})

t.test('the text has each set and each chain of the ruleset', async (t) => {
  const objects = renderKnock(SPEC).nftables.flatMap((c) => ('add' in c ? [c.add] : []))
  for (const key of partsOf(objects).keys()) {
    if (/^(set|map|chain|counter) /.test(key)) t.match(text, new RegExp(`${key} \\{`), key)
  }
})
