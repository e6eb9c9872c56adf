// Text → the same with the characters escaped that control a terminal.
import t from 'tap'
import { ArgumentError, SpecError } from '../errors.js'
import { printable, printableLine, quoted } from './printable.js'

const ESC = '\u001b'
const CSI = '\u009b'

t.test('text without control characters stays as it is', async (t) => {
  for (const text of ['', 'ssh /doors/0', 'äöü €', '日本', '🚪', 'a\nb', '\\u009b', '\u00a0']) {
    t.equal(printable(text), text)
  }
})

t.test('each control character is escaped', async (t) => {
  t.equal(printable(`${ESC}[2J ${CSI}31m`), '\\u001b[2J \\u009b31m')
  for (let code = 0; code < 0xa0; code += 1) {
    const text = String.fromCharCode(code)
    const isObeyed = (code < 0x20 && code !== 0x0a) || code >= 0x7f
    t.equal(printable(text), isObeyed ? `\\u${code.toString(16).padStart(4, '0')}` : text)
  }
  for (const text of ['\u202e', '\u2066', '\u200f', '\u2028', '\u2029']) {
    t.match(printable(text), /^\\u20\w\w$/)
  }
})

t.test('newlines in values are escaped', async (t) => {
  t.equal(printableLine('a\nb\r'), 'a\\nb\\u000d')
  t.equal(quoted(`a\n${CSI}`), '"a\\n\\u009b"')
  t.equal(quoted({ a: ['\u007f'] }), '{"a":["\\u007f"]}')
  t.equal(quoted(undefined), 'nothing')
})

t.test('errors have no control characters in their messages', async (t) => {
  t.equal(new ArgumentError(`x: ${CSI}1m`).message, 'x: \\u009b1m')
  const problem = { path: `/${ESC}`, message: `got "${CSI}"`, params: { expected: 'x' } }
  const { message, problems } = new SpecError('validateSpec', [problem, problem])
  t.equal(message, 'validateSpec: /\\u001b: got "\\u009b"\n  /\\u001b: got "\\u009b"')
  t.same(problems, [problem, problem], 'the data of the error is not escaped')
})
