// nft's words about JSON and about a script → the same without secrets, and the command they mean.
import t from 'tap'
import { commandIn, withoutQuotes } from './said.js'

const SCRIPT = `/proc/self/fd/0:3:38-44: Error: Could not process rule: No such file or directory
add element inet knock knocked { 6 . 7123 : 64 }
                                     ^^^^^^^
`

t.test('what nft quotes is taken out', async (t) => {
  t.equal(
    withoutQuotes(SCRIPT, true),
    '/proc/self/fd/0:3:38-44: Error: Could not process rule: No such file or directory\n' +
      '(the command)',
  )
  for (const verb of ['add', 'create', 'delete', 'flush']) {
    t.equal(
      withoutQuotes(`${verb} rule inet knock c tcp dport 7123\n   ^^^^\n`, true),
      '(the command)',
    )
  }
  const json = 'internal:0:0-0: Error: no\n{"nftables": [{"add": 7123}]}\n'
  t.equal(withoutQuotes(json, false), 'internal:0:0-0: Error: no\n(the document)')
})

t.test('the command that is meant', async (t) => {
  t.equal(commandIn(SCRIPT, true), 2)
  t.equal(commandIn('/tmp/a:b/document:12:1-3: Error: syntax error', true), 11)
  t.equal(commandIn('Error: Parsing command array at index 7 failed.', false), 7)
  t.equal(commandIn('internal:0:0-0: Error: Could not process rule: File exists', false), undefined)
  t.equal(commandIn('Error: cannot', true), undefined)
})
