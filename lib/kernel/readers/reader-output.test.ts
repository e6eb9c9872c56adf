// Records and a stream that is read or not → lines, and the numbers of lost records.
import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { ReaderOutput } from './reader-output.js'

const linesOf = (stream: PassThrough): unknown[] =>
  String(stream.read() ?? '')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))

t.test('records are written in order, many in one write', async (t) => {
  const stream = new PassThrough()
  const output = new ReaderOutput(stream)
  for (let n = 0; n < 1000; n += 1) output.report({ n })
  t.equal(stream.readableLength, 0, 'not before this turn is over')
  await turn()
  t.same(
    linesOf(stream),
    Array.from({ length: 1000 }, (_, n) => ({ n })),
  )
})

t.test('the number of lost records is written in their place', async (t) => {
  const stream = new PassThrough()
  const output = new ReaderOutput(stream)
  output.report({ n: 1 })
  output.lose(3)
  output.report({ n: 2 })
  await turn()
  t.same(linesOf(stream), [{ n: 1 }, { lost: 3 }, { n: 2 }])
})

t.test('while nobody reads, some records wait and the others are counted', async (t) => {
  const stream = new PassThrough({ highWaterMark: 64 })
  const output = new ReaderOutput(stream, 10)
  let sent = 0
  const report = (count: number) => {
    for (let n = 0; n < count; n += 1) output.report({ n: sent++ })
  }
  report(8)
  await turn()
  report(100)
  await turn()
  report(100)
  output.lose(5)
  const records: Record<string, number>[] = []
  for (;;) {
    await turn()
    const more = linesOf(stream) as Record<string, number>[]
    if (more.length === 0) break
    records.push(...more)
    await Promise.race([once(stream, 'drain'), turn()])
  }
  report(1)
  await turn()
  records.push(...(linesOf(stream) as Record<string, number>[]))
  const logged = records.filter((record) => 'n' in record)
  const lost = records.reduce((sum, record) => sum + (record['lost'] ?? 0), 0)
  t.equal(logged.length + lost, sent + 5, 'all are accounted for')
  t.equal(logged.length, 8 + 10 + 1)
  t.same(
    logged.map(({ n }) => n),
    logged.map(({ n }) => n).toSorted((a = 0, b = 0) => a - b),
  )
  const gap = records.findIndex((record) => 'lost' in record)
  t.equal(records[gap - 1]?.['n'], 17, 'after the last that could wait')
})

t.test('a record that can be offered again is not counted as lost', async (t) => {
  const stream = new PassThrough()
  const output = new ReaderOutput(stream, 2)
  t.ok(output.offer({ n: 1 }))
  t.ok(output.offer({ n: 2 }))
  t.notOk(output.offer({ n: 3 }), 'no room')
  await turn()
  t.ok(output.offer({ n: 3 }))
  await turn()
  t.same(linesOf(stream), [{ n: 1 }, { n: 2 }, { n: 3 }])
})
