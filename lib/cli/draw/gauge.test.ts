// Shares and steps → bars and stages of an exact width; seconds → words.
import t from 'tap'
import { drawGauge, formatSeconds, type Gauge } from './gauge.js'
import { terminalOf } from './terminal.js'

const { signs } = terminalOf({}, { LANG: 'C' })
const drawn = (gauge: Gauge, width: number) =>
  drawGauge(gauge, width, 'open', signs)
    .map(({ text }) => text)
    .join('')

t.test('a bar shows at least one cell for any time, and at most its width', async (t) => {
  t.equal(drawn({ share: 1 }, 10), '##########')
  t.equal(drawn({ share: 0.5 }, 10), '#####.....')
  t.equal(drawn({ share: 0.01 }, 10), '#.........')
  t.equal(drawn({ share: 0 }, 10), '..........')
  t.equal(
    drawn({ share: 20 }, 10),
    '##########',
    'a grant longer than the door gives fills the bar',
  )
})

t.test('stages are dots, or a bar if there are too many', async (t) => {
  t.equal(drawn({ done: 0, of: 3 }, 6), 'ooo   ')
  t.equal(drawn({ done: 2, of: 3 }, 6), '**o   ')
  t.equal(drawn({ done: 6, of: 6 }, 6), '******')
  t.equal(drawn({ done: 4, of: 3 }, 6), '***   ')
  t.equal(drawn({ done: 16, of: 32 }, 6), '###...')
})

t.test('a time has its two largest units', async (t) => {
  const words = [0, 59, 60, 61, 599, 3600, 3661, 86399, 86400, 90000, 604800].map(formatSeconds)
  t.same(words, [
    ...['0 s', '59 s', '1 m', '1 m 1 s', '9 m 59 s', '1 h', '1 h 1 m', '23 h 59 m'],
    ...['1 d', '1 d 1 h', '7 d'],
  ])
})
