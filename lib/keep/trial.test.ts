// What is told of a table that waits to be confirmed, and what is left of its time.
import t from 'tap'
import { KeptTrial } from './trial.js'

function start() {
  const heard: (number | string)[] = []
  const trial = new KeptTrial(
    (expiresIn) => heard.push(expiresIn),
    (message) => heard.push(message),
  )
  return { heard, trial }
}

t.test('each is told once', async (t) => {
  const { heard, trial } = start()
  trial.read(undefined, 0)
  trial.read({ expiresIn: 60 }, 0)
  trial.read({ expiresIn: 59 }, 1900)
  t.strictSame(heard, [60])
  t.equal(trial.left(30_000), 31)
  trial.read({ fallenOpen: true }, 62_000)
  trial.read({ fallenOpen: true }, 63_000)
  t.match(heard, [60, /OPEN TO EVERYONE.*install the spec again/])
  t.equal(heard.length, 2)
  t.equal(trial.left(90_000), 0, 'put back as it is: open')
})

t.test('another one is told again', async (t) => {
  const { heard, trial } = start()
  trial.read({ fallenOpen: true }, 0)
  trial.read({ expiresIn: 2 }, 0)
  trial.read({ expiresIn: 300 }, 1000)
  trial.read(undefined, 2000)
  t.equal(trial.left(2000), undefined, 'confirmed')
  trial.read({ expiresIn: 300 }, 3000)
  t.strictSame(heard.slice(1), [2, 300, 300])
})

t.test('a table that is put back with it', async (t) => {
  const { heard, trial } = start()
  trial.putBack(0)
  t.strictSame(heard, [], 'none')
  trial.read({ expiresIn: 60 }, 0)
  trial.putBack(20_000)
  trial.putBack(61_000)
  t.match(heard, [60, 40, /OPEN TO EVERYONE/])
})
