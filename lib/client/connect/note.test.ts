// The note that one connection leaves for the next.
import { readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { MARGIN, type Note, readNote, standsBy, writeNote } from './note.js'

const NOW = 1_800_000_000_000
const OPEN = { verdict: 'open', addresses: ['192.0.2.1'], source: '127.0.0.1' } as const
const noteOf = (parts: object = {}): Note => ({ written: NOW, outcome: { ...OPEN, ...parts } })

t.test('a grant stands until shortly before its end', async (t) => {
  const note = noteOf({ until: NOW + 60_000 })
  const stands = (now: number) => standsBy(note, now, now)
  t.equal(stands(NOW + 1), true)
  t.equal(stands(NOW + 60_000 - MARGIN - 1), true)
  t.equal(stands(NOW + 60_000 - MARGIN), false)
  t.equal(stands(NOW - 1), false, 'the clock was put back')
})

t.test('one whose end is not known is for those who waited', async (t) => {
  t.equal(standsBy(noteOf(), NOW - 5, NOW + 5), true)
  t.equal(standsBy(noteOf(), NOW + 1, NOW + 5), false)
  t.equal(standsBy(noteOf({ until: NOW + 10 }), NOW - 5, NOW + 5), true, 'as is a short one')
})

t.test('no other note is one of a grant', async (t) => {
  const until = NOW + 60_000
  t.equal(standsBy(noteOf({ source: '192.0.2.77', until }), NOW, NOW + 1), false, 'moved away')
  for (const verdict of ['refused', 'filtered'] as const) {
    t.equal(standsBy({ written: NOW, outcome: { verdict } }, NOW - 5, NOW + 5), false)
  }
  t.equal(standsBy({ written: NOW, token: 1 }, NOW - 5, NOW + 5), false)
})

t.test('is read as it was written, by its user', async (t) => {
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

t.test('what is none is not read', async (t) => {
  const path = join(t.testdir({}), 'note')
  for (const text of ['', '{', 'null', '1', '{}', '{"written":"x"}', '[]']) {
    await writeFile(path, text)
    t.equal(await readNote(path), undefined, text)
  }
  await writeFile(path, '{"written":1,"outcome":{"verdict":"open"}}')
  t.equal(await readNote(path), undefined, 'without addresses')
})
