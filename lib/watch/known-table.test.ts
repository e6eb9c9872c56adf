// Readings of a table, and what others report of it → what is news.
import t from 'tap'
import { NftError } from '../errors.js'
import { KnownTable } from './known-table.js'

const door = { name: 'ssh', grantTimeout: 30, scope: 'source' }
const about = (digest: string, log?: number) =>
  ({ doors: [door], digest, ...(log !== undefined && { log }) }) as never
const gone = async () => {
  throw new NftError('not-found', 'watch: table inet knock: not there')
}

/** A table that was read once. */
function known() {
  const table = new KnownTable('knock', false)
  table.take(about('a'))
  return { table, reads: (digest: string) => table.follow(async () => table.take(about(digest))) }
}

t.test('a table that has changed is reported once', async (t) => {
  const { table, reads } = known()
  t.equal(await reads('a'), undefined)
  t.equal(await reads('b'), 'installed')
  t.equal(await reads('b'), undefined)
  t.equal(await table.follow(gone), 'removed')
  t.notOk(table.stands)
  t.equal(await table.follow(gone), undefined)
  t.equal(await reads('b'), 'installed', 'the same, made anew')
  t.ok(table.stands)
})

t.test('a change that was reported is not reported again, however late it is read', async (t) => {
  const { table, reads } = known()
  table.announce()
  await t.rejects(
    table.follow(async () => {
      throw new Error('busy')
    }),
    /busy/,
  )
  t.ok(table.stands)
  t.equal(await reads('b'), undefined)
  t.equal(await reads('c'), 'installed')
  const during = table.follow(async () => {
    table.announce()
    table.take(about('d'))
  })
  t.equal(await during, undefined, 'reported while it was read')
  t.equal(await reads('d'), undefined)
  table.announce()
  t.equal(await table.follow(gone), undefined)
  t.equal(await table.follow(gone), undefined)
})

t.test('the doors are those that were read last', async (t) => {
  const { table } = known()
  t.equal(table.watched.grantTimeout('ssh'), 30)
  t.equal(table.watched.grantTimeout('web'), undefined)
  t.notOk(table.watched.isForEveryone('ssh'))
  const web = { name: 'web', grantTimeout: 60, scope: 'everyone' }
  table.take({ doors: [web], digest: 'b' } as never)
  t.equal(table.door('ssh'), undefined)
  t.same(table.doors, [web])
  t.ok(table.watched.isForEveryone('web'))
})

t.test('a table that logs nothing is refused if the log is needed', async (t) => {
  const table = new KnownTable('knock', true)
  table.take(about('a', 0))
  t.throws(() => table.take(about('b')), {
    name: 'CapabilityError',
    message: /^watch: what happens in table inet knock: its spec has "log": false/,
  })
})
