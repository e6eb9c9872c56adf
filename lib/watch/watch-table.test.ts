// A watcher of a table whose nft does not answer.
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { DocumentElements } from '../kernel/elements.js'
import type { Nft } from '../kernel/nft.js'
import { TableSource } from './table-source.js'
import { TableWatcher } from './watch-table.js'

t.test('who ends it does not wait for nft', async (t) => {
  let isAsked = false
  const silent: Pick<Nft, 'netns' | 'list'> = {
    netns: '',
    async list(_, { signal } = {}) {
      isAsked = true
      await sleep(60_000, undefined, { ...(signal && { signal }), ref: false })
    },
  }
  const nft = silent as Nft
  const source = new TableSource({ table: 'knock', nft, elements: new DocumentElements(nft) })
  const watcher = new TableWatcher(source, { queue: 1, needsLog: true })
  await sleep(10)
  t.ok(isAsked)
  const begun = performance.now()
  await watcher.return()
  t.ok(performance.now() - begun < 5000)
  await watcher.ready
  t.same(await watcher.next(), { done: true, value: undefined })
})
