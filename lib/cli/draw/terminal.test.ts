// The environment → width, colour and signs.
import t from 'tap'
import { isTerminal, takesColour, terminalOf } from './terminal.js'

const tty = { isTTY: true, columns: 100, rows: 30 }
const pipe = {}

t.test('the view needs a terminal', async (t) => {
  t.equal(isTerminal(tty, { TERM: 'xterm' }), true)
  t.equal(isTerminal(tty, {}), true)
  t.equal(isTerminal(tty, { TERM: 'dumb' }), false)
  t.equal(isTerminal(pipe, { TERM: 'xterm', FORCE_COLOR: '1' }), false)
})

t.test('colours depend on the terminal and the environment', async (t) => {
  t.equal(takesColour(tty, {}), true)
  t.equal(takesColour(pipe, {}), false)
  t.equal(takesColour(tty, { TERM: 'dumb' }), false)
  t.equal(takesColour(tty, { NO_COLOR: '1' }), false)
  t.equal(
    takesColour(tty, { NO_COLOR: '0' }),
    false,
    'any value of NO_COLOR counts, except an empty one',
  )
  t.equal(takesColour(tty, { NO_COLOR: '' }), true)
  t.equal(takesColour(pipe, { FORCE_COLOR: '1' }), true)
  t.equal(
    takesColour(pipe, { FORCE_COLOR: '1', NO_COLOR: '1' }),
    false,
    'NO_COLOR overrides FORCE_COLOR',
  )
  t.equal(takesColour(pipe, { FORCE_COLOR: '1', NO_COLOR: '' }), true)
  t.equal(takesColour(tty, { FORCE_COLOR: '0' }), false)
  t.equal(takesColour(tty, { FORCE_COLOR: 'false' }), false)
})

t.test('the size comes from the terminal or the environment', async (t) => {
  const sizeOf = (columns?: number, rows?: number) => {
    const { width, height } = terminalOf(
      {
        isTTY: true,
        ...(columns !== undefined && { columns }),
        ...(rows !== undefined && { rows }),
      },
      {},
    )
    return [width, height]
  }
  t.same(sizeOf(100, 30), [100, 30])
  t.same(sizeOf(), [80, 24])
  t.same(sizeOf(0, 0), [80, 24])
  t.same(sizeOf(20, 5), [40, 5])
  t.same(sizeOf(300, 90), [120, 90])
})

t.test('the signs depend on the locale', async (t) => {
  const fullOf = (env: Record<string, string>) => terminalOf(tty, env).signs.full
  t.equal(fullOf({ LANG: 'C.UTF-8' }), '━')
  t.equal(fullOf({ LANG: 'de_DE.utf8' }), '━')
  t.equal(fullOf({ LC_CTYPE: 'C.UTF-8', LANG: 'C' }), '━')
  t.equal(fullOf({ LC_ALL: '', LC_CTYPE: '', LANG: 'C.UTF-8' }), '━')
  t.equal(fullOf({ LC_ALL: 'C', LANG: 'C.UTF-8' }), '#')
  t.equal(fullOf({ LANG: 'de_DE.ISO-8859-1' }), '#')
  t.equal(fullOf({}), '#')
  const { signs } = terminalOf(tty, { LANG: 'C.UTF-8' })
  for (const sign of Object.values(signs)) t.equal(sign.length, 1, sign)
})
