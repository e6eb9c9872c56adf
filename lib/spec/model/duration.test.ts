import t from 'tap'
import { formatDuration, parseDuration } from './duration.js'

t.test('whole seconds and units are read', async (t) => {
  t.equal(parseDuration('30s'), 30)
  t.equal(parseDuration('5m'), 300)
  t.equal(parseDuration('1h'), 3600)
  t.equal(parseDuration('7d'), 604800)
  t.equal(parseDuration(12), 12)
  t.equal(parseDuration('365d'), 31536000)
})

t.test('durations that nft would read as for ever are refused', async (t) => {
  for (const value of [
    '0s',
    0,
    0.5,
    '500ms',
    '1.5s',
    -5,
    '-5s',
    '1h30m',
    '5',
    '',
    ' 5s',
    '366d',
    Number.NaN,
    null,
  ]) {
    t.equal(parseDuration(value), undefined, JSON.stringify(value))
  }
})

t.test('a duration is written in its shortest form', async (t) => {
  for (const seconds of [1, 59, 60, 90, 3600, 86400, 604800]) {
    t.equal(parseDuration(formatDuration(seconds)), seconds)
  }
  t.equal(formatDuration(90), '90s')
  t.equal(formatDuration(3600), '1h')
})
