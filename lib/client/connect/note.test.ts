// The note that one connection leaves for the next.
import { readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { MARGIN, type Note, readNote, standsBy, writeNote } from './note.js'

const NOW = 1_800_000_000_000
const OPEN = { verdict: 'open', addresses: ['192.0.2.1'], source: '127.0.0.1' } as const
const noteOf = (parts: object = {}): Note => ({ written: NOW, outcome: { ...OPEN, ...parts } })

t.test('a noted grant counts until shortly before its end', async (t) => {
  const note = noteOf({ until: NOW + 60_000 })
  const stands = (now: number) => standsBy(note, now, now)
  t.equal(stands(NOW + 1), true)
  t.equal(stands(NOW + 60_000 - MARGIN - 1), true)
  t.equal(stands(NOW + 60_000 - MARGIN), false)
  t.equal(stands(NOW - 1), false, 'a grant does not count after the clock was set back')
})

t.test('a grant of unknown end counts only for those who waited', async (t) => {
  t.equal(standsBy(noteOf(), NOW - 5, NOW + 5), true)
  t.equal(standsBy(noteOf(), NOW + 1, NOW + 5), false)
  t.equal(
    standsBy(noteOf({ until: NOW + 10 }), NOW - 5, NOW + 5),
    true,
    'a short grant counts only for those who waited',
  )
})

t.test('no other note counts as a grant', async (t) => {
  const until = NOW + 60_000
  t.equal(
    standsBy(noteOf({ source: '192.0.2.77', until }), NOW, NOW + 1),
    false,
    'a grant for another source address does not count',
  )
  for (const verdict of ['refused', 'filtered'] as const) {
    t.equal(standsBy({ written: NOW, outcome: { verdict } }, NOW - 5, NOW + 5), false)
  }
  t.equal(standsBy({ written: NOW, token: 1 }, NOW - 5, NOW + 5), false)
})

t.test('a note is read as its user wrote it', async (t) => {
  const path = join(t.testdir({}), 'note')
  const note = { ...noteOf({ until: NOW }), token: 7 }
  t.equal(await readNote(path), undefined)
  await writeNote(path, note)
  t.same(await readNote(path), note)
  await writeNote(path, { written: NOW })
  t.same(await readNote(path), { written: NOW })
  t.equal((await stat(path)).mode & 0o777, 0o600)
  t.same(await readdir(join(path, '..')), ['note'])
})

t.test('an invalid note is not read', async (t) => {
  const path = join(t.testdir({}), 'note')
  for (const text of ['', '{', 'null', '1', '{}', '{"written":"x"}', '[]']) {
    await writeFile(path, text)
    t.equal(await readNote(path), undefined, text)
  }
  await writeFile(path, '{"written":1,"outcome":{"verdict":"open"}}')
  t.equal(await readNote(path), undefined, 'a note without addresses is not read')
})
