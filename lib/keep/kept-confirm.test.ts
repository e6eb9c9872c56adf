// What is reported of a table that waits to be confirmed, and what is left of its time.
import t from 'tap'
import { KeptConfirm } from './kept-confirm.js'

function start() {
  const heard: (number | string)[] = []
  const pending = new KeptConfirm(
    (expiresIn) => heard.push(expiresIn),
    (message) => heard.push(message),
  )
  return { heard, pending }
}

t.test('each confirmation time is reported once', async (t) => {
  const { heard, pending } = start()
  pending.read(undefined, 0)
  pending.read({ expiresIn: 60 }, 0)
  pending.read({ expiresIn: 59 }, 1900)
  t.strictSame(heard, [60])
  t.equal(pending.left(30_000), 31)
  pending.read({ fallenOpen: true }, 62_000)
  pending.read({ fallenOpen: true }, 63_000)
  t.match(heard, [60, /OPEN TO EVERYONE.*install the spec again/])
  t.equal(heard.length, 2)
  t.equal(pending.left(90_000), 0, 'a table that opened is put back open')
})

t.test('another confirmation time is reported again', async (t) => {
  const { heard, pending } = start()
  pending.read({ fallenOpen: true }, 0)
  pending.read({ expiresIn: 2 }, 0)
  pending.read({ expiresIn: 300 }, 1000)
  pending.read(undefined, 2000)
  t.equal(pending.left(2000), undefined, 'a confirmed table has no time left')
  pending.read({ expiresIn: 300 }, 3000)
  t.strictSame(heard.slice(1), [2, 300, 300])
})

t.test('the remaining time is reported when the table is put back', async (t) => {
  const { heard, pending } = start()
  pending.putBack(0)
  t.strictSame(heard, [], 'a table that needs no confirmation reports nothing')
  pending.read({ expiresIn: 60 }, 0)
  pending.putBack(20_000)
  pending.putBack(61_000)
  t.match(heard, [60, 40, /OPEN TO EVERYONE/])
})
