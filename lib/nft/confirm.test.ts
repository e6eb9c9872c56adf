// A document and seconds → the same with a pending confirmation: each base chain begins with the
// rule that lets all packets pass.
import t from 'tap'
import { type KnockSpec, renderKnock } from '../index.js'
import { isConfirmRule, withConfirm } from './confirm.js'

const open = { for: '30s' }
const door = {
  name: 'ssh',
  service: 'tcp/22',
  address: '192.0.2.1',
  knock: { type: 'sequence' as const, steps: ['tcp/7000'] },
  open,
}
const SPECS: Readonly<Record<string, [KnockSpec, string[]]>> = {
  input: [{ doors: [door] }, ['input']],
  forward: [{ hook: 'forward', doors: [door] }, ['forward']],
  prerouting: [{ hook: 'prerouting', doors: [door] }, ['prerouting']],
  'one device': [{ hook: 'ingress', interfaces: ['eth0'], doors: [door] }, ['ingress']],
  'two devices': [
    { hook: 'ingress', interfaces: ['eth0', 'eth1'], doors: [door] },
    ['ingress1', 'ingress2'],
  ],
  'a redirect': [
    { doors: [{ ...door, open: { ...open, redirectTo: 2222 } }] },
    ['redirected', 'input'],
  ],
  'echo requests, and connections that are cut': [
    {
      doors: [
        {
          ...door,
          service: 'any',
          knock: { type: 'sequence', steps: ['icmp'] },
          open: { ...open, established: 'cut' },
        },
      ],
    },
    ['input'],
  ],
}

for (const [name, [spec, chains]] of Object.entries(SPECS)) {
  t.test(name, async (t) => {
    const { nftables } = withConfirm(renderKnock(spec), 'knock', 60)
    const rules = nftables.flatMap((command) =>
      'add' in command && 'rule' in command.add ? [command.add.rule] : [],
    )
    t.strictSame(
      rules.filter(isConfirmRule).map(({ chain }) => chain),
      chains,
    )
    for (const chain of chains) {
      const [first] = rules.filter((rule) => rule.chain === chain)
      t.ok(first && isConfirmRule(first), `chain ${chain} begins with the rule of confirmation`)
    }
  })
}
