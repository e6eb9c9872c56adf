// A file of JSON or YAML → the document in it, or what is wrong with its form.
import { join } from 'node:path'
import t from 'tap'
import { loadDocument } from './load.js'

const BOMB = `a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]
b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]
c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b]
d: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c]
`

t.test('the ending says which form it is', async (t) => {
  const folder = t.testdir({
    'a.json': '{"a": [1, "2"]}',
    'a.yaml': 'a: [1, "2"] # why',
    'a.yml': 'a:\n- 1\n- "2"\n',
    'a.conf': '{"a": [1, "2"]}',
  })
  for (const name of ['a.json', 'a.yaml', 'a.yml', 'a.conf']) {
    t.same(await loadDocument(join(folder, name)), { a: [1, '2'] }, name)
  }
})

t.test('what is not of its form', async (t) => {
  const folder = t.testdir({
    'empty.json': '',
    'broken.json': '{',
    'broken.yaml': 'a: [1\nb: 2',
    'twice.yaml': 'a: 1\na: 2\n',
    'two.yaml': 'a: 1\n---\na: 2\n',
    'bomb.yaml': BOMB,
  })
  const wrong = {
    'empty.json': /expected JSON, .*empty\.json/,
    'broken.json': /expected JSON, .*broken\.json/,
    'broken.yaml': /expected YAML, .*broken\.yaml: .* at line 2, column 1$/,
    'twice.yaml': /expected YAML, .*unique/,
    'two.yaml': /expected YAML, .*multiple documents/,
    'bomb.yaml': /expected YAML, .*alias/,
  }
  for (const [name, message] of Object.entries(wrong)) {
    const loading = loadDocument(join(folder, name), 'somebody')
    await t.rejects(loading, { code: 'invalid-spec', message }, name)
  }
})

t.test('what cannot be read', async (t) => {
  const folder = t.testdir({})
  await t.rejects(loadDocument(join(folder, 'nosuch.json'), 'somebody'), {
    code: 'invalid-argument',
    message: /^somebody: .*nosuch\.json: ENOENT/,
  })
  await t.rejects(loadDocument(folder), {
    code: 'invalid-argument',
    message: /expected the document as a file, got a directory$/,
  })
})
