// A table's document, and listings without elements → whether the chains are unchanged, and the
// warnings if nothing is judged.
import t from 'tap'
import type { Listed } from '../../integration/fixtures/altered.js'
import { buildAutomaton } from '../automaton/build.js'
import { renderRuleset } from '../nft/render/render.js'
import { isOfTags } from '../nft/tags.js'
import { validateSpec } from '../spec/validate.js'
import { judgingWarnings } from '../view/judging.js'
import { compareChains } from './chains.js'

const HOOKS = [
  { hook: 'input' },
  { hook: 'input', interfaces: ['eth0'] },
  { hook: 'forward', interfaces: ['eth0', 'eth1'] },
  { hook: 'prerouting', interfaces: ['eth0'] },
  { hook: 'ingress', interfaces: ['eth0'] },
  { hook: 'ingress', interfaces: ['eth0', 'eth1'] },
] as const

for (const place of HOOKS) {
  const { hook } = place
  const name = JSON.stringify(place)
  const spec = validateSpec({
    ...place,
    doors: [
      {
        name: 'ssh',
        service: 'tcp/22',
        knock: { type: 'sequence', steps: ['tcp/7000', 'tcp/7001'] },
        open: { for: '30s' },
      },
    ],
  })
  const automaton = buildAutomaton(spec)
  const document = renderRuleset(automaton)
  // What a terse listing has: maps without entries.
  const objects = (): Listed[] =>
    structuredClone(
      document.nftables.flatMap((command) =>
        'add' in command && !('element' in command.add) && !isOfTags(command)
          ? [command.add as unknown as Listed]
          : [],
      ),
    )
  const isWhole = compareChains(document)
  const warned = (listed: readonly Listed[]) =>
    judgingWarnings(listed, automaton.place?.interfaces.length ? automaton.place : undefined)
  const isBase = ({ chain }: Listed) => chain?.hook !== undefined

  t.test(`${name}: the listing of an unchanged table is whole`, async (t) => {
    t.ok(isWhole(objects()))
    t.strictSame(warned(objects()), [])
    const without = objects().map(({ chain, ...rest }) => {
      if (!chain) return rest
      const { dev: _, ...listed } = chain
      return { chain: listed }
    })
    t.ok(isWhole(without), 'a listing without devices is whole, as from nft 1.0.6')
    t.strictSame(warned(without), [])
    const retired = { chain: { family: 'inet', table: 'knock', name: 'port_old', handle: 99 } }
    t.ok(isWhole([...objects(), retired]), 'a chain left behind without rules changes nothing')
    const marked = { rule: { chain: hook, expr: [], comment: 'trial' } }
    t.notOk(isWhole([...objects(), marked]), 'an additional rule is found')
  })

  t.test(`${name}: an altered listing is not whole`, async (t) => {
    const bases = objects().filter(isBase)
    t.ok(bases.length > 0)
    for (const base of bases) {
      const own = base.chain?.name
      const without = objects().filter(
        ({ chain, rule }) => chain?.name !== own && rule?.chain !== own,
      )
      t.notOk(isWhole(without), `a missing chain ${own} is found`)
      t.match(warned(without), [{ id: 'chain-missing', message: /^NOT SHUT/ }])
      const empty = objects().filter(({ rule }) => rule?.chain !== own)
      t.notOk(isWhole(empty), `an empty chain ${own} is found`)
      t.match(warned(empty), [{ id: 'chain-missing' }])
      for (const [key, value] of Object.entries({ hook: 'output', prio: 99, policy: 'drop' })) {
        const other = objects()
        for (const { chain } of other) if (chain && chain.name === own) chain[key] = value
        t.notOk(isWhole(other), `a changed ${key} of ${own} is found`)
      }
    }
    const foreign = { chain: { name: 'mine', type: 'filter', hook: 'input', prio: -200 } }
    t.notOk(isWhole([...objects(), foreign]), 'an additional base chain is found')
    const inner = objects().findIndex(({ rule }) => rule !== undefined)
    t.notOk(isWhole(objects().filter((_, index) => index !== inner)), 'a missing rule is found')
    const dormant = objects().map(({ table, ...rest }) =>
      table ? { table: { ...table, flags: ['dormant'] } } : rest,
    )
    t.notOk(isWhole(dormant), 'a dormant table is found')
    t.match(warned(dormant), [{ id: 'dormant' }])
  })
  if (hook === 'ingress') {
    t.test(`${name}: a listing with another device is not whole`, async (t) => {
      const other = objects()
      for (const { chain } of other) if (chain?.dev === 'eth0') chain.dev = 'eth9'
      t.notOk(isWhole(other))
    })
  }
}
