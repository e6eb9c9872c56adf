// Packets of a plan, each in its time, whatever becomes of those before.
import t from 'tap'
import type { Plan, Shot } from '../automaton/language/client-kind.js'
import { carryOut, type Progress, pause } from './carry-out.js'

const shotOf = (label: string, at?: number): Shot =>
  ({
    ...{ label, step: { protocol: 'udp', port: 1 }, isSecret: false },
    ...(at !== undefined && { at }),
  }) as Shot

const planOf = (shots: readonly Shot[], parts: Partial<Plan> = {}): Plan =>
  ({ delay: 0, ready: 0, shots, ...parts }) as Plan

const DONE = Promise.resolve()
const never = new Promise<void>(() => {})

/** Carries a plan out; `sent` has each packet and when it left. */
async function run(plan: Plan, gap: number, over: (shot: Shot) => Promise<void> = () => DONE) {
  const began = performance.now()
  const sent: [label: string, at: number][] = []
  const progress: Progress[] = []
  const send = (shot: Shot) => {
    sent.push([shot.label, performance.now() - began])
    const end = over(shot)
    return { left: DONE, over: end }
  }
  const onProgress = (one: Progress) => progress.push(one)
  const result = await carryOut(plan, { gap, send, onProgress }).catch((error: unknown) => error)
  return { sent, progress, result, took: performance.now() - began }
}

const labels = (sent: readonly [string, number][]) => sent.map(([label]) => label)

t.test('a sequence is sent with a gap between two packets', async (t) => {
  const { sent, progress, took } = await run(planOf(['a', 'b', 'c'].map((x) => shotOf(x))), 30)
  t.same(labels(sent), ['a', 'b', 'c'])
  t.ok(took >= 59, 'two gaps have passed')
  t.same(
    progress.map(({ sent, of }) => [sent, of]),
    [...[0, 1, 2, 3].map((sent) => [sent, 3])],
  )
  t.ok((progress[0]?.remaining ?? 0) > 50)
  t.equal(progress.at(-1)?.remaining, 0)
})

t.test('a gap counts from the planned time, so delays do not add up', async (t) => {
  const shots = ['a', 'b', 'c', 'd', 'e'].map((label) => shotOf(label))
  const busy = async () => {
    // Others use the processor for less than what a packet may take.
    for (const end = performance.now() + 10; performance.now() < end; );
  }
  const spans: number[] = []
  // A busy machine may delay one run; delays that add up delay each.
  while (spans.length < 5 && !spans.some((span) => span < 195)) {
    const { sent } = await run(planOf(shots), 40, busy)
    const [[, first = 0] = [], [, last = 0] = []] = [sent[0], sent.at(-1)]
    spans.push(last - first)
  }
  t.ok(
    spans.some((span) => span >= 159 && span < 195),
    spans.join(' '),
  )
})

t.test('packets with a planned time do not wait for those before', async (t) => {
  const shots = [shotOf('a', 0), shotOf('b', 20), shotOf('c', 20)]
  const send = (shot: Shot) => {
    sent.push(shot.label)
    return { left: never, over: DONE }
  }
  const sent: string[] = []
  await carryOut(planOf(shots, { ready: 60 }), { gap: 0, send })
  t.same(sent, ['a', 'b', 'c'])
})

t.test('it waits before the first packet, and until a connection is in time', async (t) => {
  const { sent, took } = await run(planOf([shotOf('a', 0)], { delay: 40, ready: 50 }), 0)
  t.ok((sent[0]?.[1] ?? 0) >= 39)
  t.ok(took >= 89)
})

t.test('a failure is thrown after all others were sent', async (t) => {
  const failure = new Error('refused')
  const over = (shot: Shot) => (shot.label === 'a' ? Promise.reject(failure) : DONE)
  const { sent, result } = await run(planOf([shotOf('a'), shotOf('b')]), 5, over)
  t.equal(result, failure)
  t.same(labels(sent), ['a', 'b'])
})

t.test('an abort ends the sending before the next packet', async (t) => {
  const stop = new AbortController()
  const reason = new Error('enough')
  const sent: string[] = []
  const send = (shot: Shot) => {
    sent.push(shot.label)
    stop.abort(reason)
    return { left: DONE, over: DONE }
  }
  const plan = planOf([shotOf('a'), shotOf('b')])
  await t.rejects(carryOut(plan, { gap: 60_000, send, signal: stop.signal }), reason)
  t.same(sent, ['a'])
  await t.rejects(pause(60_000, stop.signal), reason, 'an earlier abort ends it, too')
})
