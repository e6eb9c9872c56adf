// A table's document, and listings of it that differ by one thing → whether that is noticed.
import t from 'tap'
import { renderKnock } from '../knock.js'
import { isIntact } from './intact.js'
import type { ListedSet, Listing } from './listing.js'

const DOCUMENT = renderKnock({
  guard: { trusted: ['192.168.1.0/24'] },
  doors: [
    {
      name: 'ssh',
      service: 'tcp/22',
      knock: { type: 'sequence', steps: ['tcp/7000', 'udp/8000'] },
      open: { for: '30s' },
    },
  ],
})

/** What nft would list of the document, as far as it is compared. */
function wholeListing() {
  const sets = new Map<string, ListedSet>()
  const maps = new Map<string, number>()
  const chains = new Map<string, string[]>()
  const counters = new Map<string, number>()
  for (const command of DOCUMENT.nftables) {
    if (!('add' in command)) continue
    const { add } = command
    if ('set' in add) sets.set(add.set.name, { timeout: undefined, size: undefined, elements: [] })
    if ('map' in add) maps.set(add.map.name, add.map.elem?.length ?? 0)
    if ('element' in add) maps.set(add.element.name, add.element.elem.length)
    if ('chain' in add) chains.set(add.chain.name, [])
    if ('rule' in add) chains.get(add.rule.chain)?.push(add.rule.comment ?? '')
    if ('counter' in add) counters.set(add.counter.name, 7)
  }
  return { sets, maps, chains, counters }
}

const firstOf = <T>(map: ReadonlyMap<string, T>): string => [...map.keys()][0] as string

const CHANGES: Readonly<Record<string, (listing: ReturnType<typeof wholeListing>) => void>> = {
  'a chain gone': ({ chains }) => chains.delete(firstOf(chains)),
  'a chain more': ({ chains }) => chains.set('theirs', []),
  'a rule gone': ({ chains }) => [...chains.values()].find((rules) => rules.length > 0)?.pop(),
  'a rule more': ({ chains }) => chains.get(firstOf(chains))?.push('theirs'),
  'two rules swapped': ({ chains }) =>
    [...chains.values()].find(([a, b]) => b !== undefined && a !== b)?.reverse(),
  "a rule's comment changed": ({ chains }) => {
    const rules = [...chains.values()].find(({ length }) => length > 0)
    rules?.splice(0, 1, 'theirs')
  },
  'a set gone': ({ sets }) => sets.delete(firstOf(sets)),
  'a set more': ({ sets }) =>
    sets.set('theirs', { timeout: undefined, size: undefined, elements: [] }),
  'a map gone': ({ maps }) => maps.delete(firstOf(maps)),
  'an entry of a map gone': ({ maps }) => maps.set(firstOf(maps), 0),
  'a counter gone': ({ counters }) => counters.delete(firstOf(counters)),
  'a counter of another name': ({ counters }) => {
    counters.delete(firstOf(counters))
    counters.set('theirs', 0)
  },
}

t.test('a table as its document made it is intact', async (t) => {
  const listing = wholeListing()
  t.ok(isIntact(listing, DOCUMENT))
  const [name] = listing.sets.keys()
  const elements = [{ key: ['10.0.0.1'], timeout: 30, expires: 5 }]
  const full = new Map<string, ListedSet>([
    ...listing.sets,
    [name as string, { timeout: 30, size: 8, elements }],
  ])
  t.ok(isIntact({ ...listing, sets: full }, DOCUMENT), 'whatever its sets hold')
})

for (const [name, change] of Object.entries(CHANGES)) {
  t.test(`${name}: not intact`, async (t) => {
    const listing = wholeListing()
    change(listing)
    t.notOk(isIntact(listing satisfies Listing, DOCUMENT))
  })
}

t.test('the table of another spec is not intact', async (t) => {
  const other = renderKnock({
    doors: [
      {
        name: 'web',
        service: 'tcp/443',
        knock: { type: 'sequence', steps: ['udp/9000'] },
        open: { for: 5 },
      },
    ],
  })
  t.notOk(isIntact(wholeListing(), other))
})
