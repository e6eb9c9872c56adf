// The contract's cases about counters: of a table that a version before made, and of doors and logs
// that go.
import { readFile } from 'node:fs/promises'
import {
  attachKnock,
  installKnock,
  type Knock,
  type KnockSpec,
  renderKnock,
} from '../../lib/index.js'
import type { NftDocument } from '../../lib/nft/document.js'
import type { Case } from './contract-reload.js'

const door = (name: string, service: string, step: string, connections: number) => ({
  name,
  service,
  knock: { type: 'sequence' as const, steps: [step] },
  open: { for: '20s', connections },
})
const SPEC: KnockSpec = {
  doors: [door('ssh', 'tcp/22', 'tcp/7000', 2), door('once', 'tcp/23', 'tcp/7001', 1)],
}

/** The ruleset of `SPEC` as the version before rendered it: refusals meet two counters. */
const BEFORE = new URL('../captures/table-before.json', import.meta.url.replace('/.cache/', '/'))

/** Returns a ruleset whose counters begin with these packets. */
function counting({ nftables }: NftDocument, packets: Readonly<Record<string, number>>) {
  return {
    nftables: nftables.map((command) => {
      if (!('add' in command && 'counter' in command.add)) return command
      const { counter } = command.add
      return { add: { counter: { ...counter, packets: packets[counter.name] ?? 0, bytes: 0 } } }
    }),
  }
}

const countsOf = async (knock: Knock) => {
  const { doors, counters } = await knock.status()
  const denied = Object.fromEntries(doors.map(({ name, counters }) => [name, counters.denied]))
  return { ...denied, unlogged: counters.unlogged }
}

export const COUNTS: Readonly<Record<string, Case>> = {
  async 'takes over a table of the version before, with its counters and grants'(t, nft, options) {
    const before = JSON.parse(await readFile(BEFORE, 'utf8')) as NftDocument
    await nft.apply(counting(before, { denied_ssh: 100, denied_once: 5, unlogged: 90 }))
    const counts = { ssh: 100, once: 5, unlogged: 90 }
    await using attached = await attachKnock(options)
    t.strictSame(await countsOf(attached), counts, 'an attached handle reads the same counts')
    await attached.door('ssh').open('203.0.113.7')
    await using knock = await installKnock(SPEC, options)
    t.equal(knock.outcome, 'changed')
    t.strictSame(await countsOf(knock), counts)
    t.match(await knock.door('ssh').grants(), [{ source: '203.0.113.7' }])
    t.equal((await installKnock(SPEC, options)).outcome, 'unchanged')
  },

  async 'counts what was not logged also when the door goes, or the log'(t, nft, options) {
    const packets = {
      denied_ssh: 10,
      unlogged_denied_ssh: 90,
      unlogged_denied_once: 7,
      unlogged: 1,
    }
    await nft.apply(counting(renderKnock(SPEC), packets))
    await using knock = await installKnock(SPEC, options)
    t.strictSame(await countsOf(knock), { ssh: 100, once: 7, unlogged: 98 })
    await using one = await installKnock({ doors: SPEC.doors.slice(0, 1) }, options)
    t.strictSame(
      await countsOf(one),
      { ssh: 100, unlogged: 98 },
      'the table keeps its sum of unlogged events',
    )
    await using silent = await installKnock({ ...SPEC, log: false }, options)
    t.strictSame(
      await countsOf(silent),
      { ssh: 100, once: 0, unlogged: 0 },
      'the door keeps its own counters',
    )
    await using again = await installKnock(SPEC, options)
    t.strictSame(
      await countsOf(again),
      { ssh: 100, once: 0, unlogged: 0 },
      'no event is counted twice',
    )
  },
}
