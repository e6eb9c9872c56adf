// A file of JSON or YAML → the document in it, or what is wrong with its form.
import { join } from 'node:path'
import t from 'tap'
import type { SpecError } from '../errors.js'
import { validateSpec } from '../spec/validate.js'
import { loadDocument, withPlaces } from './spec-file.js'

const BOMB = `a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]
b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]
c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b]
d: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c]
`

const lines = (count: number, lineOf: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => lineOf(index)).join('\n')

t.test('the file extension decides the form', async (t) => {
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

t.test('a malformed file is refused with its line', async (t) => {
  const folder = t.testdir({
    'empty.json': '',
    'broken.json': '{',
    'broken.yaml': 'a: [1\nb: 2',
    'twice.yaml': 'a: 1\na: 2\n',
    'two.yaml': 'a: 1\n---\na: 2\n',
    'bomb.yaml': BOMB,
    'twice.json': '{"a": {"b": 1},\n "b": [{"c": "{,", "d": "\\"", "\\u0063": 2}]}',
    'anchors.yaml': Array.from({ length: 100_000 }, (_, i) => `- &a${i} x`).join('\n'),
    'aliases.yaml': `a: &a x\nb:\n${'- *a\n'.repeat(100_000)}`,
    'deep.yaml': '['.repeat(100_000),
    'deep-map.yaml': Array.from({ length: 1500 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'),
    'deep-list.yaml': '- '.repeat(100_000),
    'deep-key.yaml': '? '.repeat(100_000),
    'deep-both.yaml': `a:\n${lines(60, (i) => `${' '.repeat(3 * i + 1)}- b:`)}`,
    'deep-mixed.yaml': `${'- '.repeat(60)}${'['.repeat(60)}`,
    'long.yaml': `a: ${'x'.repeat(5_000_000)}`,
  })
  const wrong = {
    'empty.json': /empty\.json: expected JSON: /,
    'broken.json': /broken\.json: expected JSON: /,
    'broken.yaml': /broken\.yaml: expected YAML: .* at line 2, column 1$/,
    'twice.yaml': /expected YAML: .*unique, "a" is there twice at line 2, column 1$/,
    'twice.json': /expected JSON: the key "c" is there twice, at \/b\/0\/c, line 2, column 31$/,
    'anchors.yaml': /at most 1000 anchors/,
    'aliases.yaml': /at most 1000 aliases/,
    'deep.yaml': /nested 100 deep/,
    'deep-map.yaml': /nested 100 deep/,
    'deep-list.yaml': /nested 100 deep/,
    'deep-key.yaml': /nested 100 deep/,
    'deep-both.yaml': /nested 100 deep/,
    'deep-mixed.yaml': /nested 100 deep/,
    'long.yaml': /at most 4194304 characters/,
    'two.yaml': /expected YAML: .*multiple documents/,
    'bomb.yaml': /expected YAML: .*alias/,
  }
  for (const [name, message] of Object.entries(wrong)) {
    const loading = loadDocument(join(folder, name))
    await t.rejects(loading, { code: 'invalid-document', message }, name)
  }
})

t.test('a long document is read, and a deep one refused', async (t) => {
  const long = Array.from({ length: 3000 }, (_, i) => `- a:\n    b: "x\n      y"\n    c: [${i}]\n`)
  const folder = t.testdir({
    'long.yaml': long.join(''),
    'lines.yaml': `a: |\n${lines(500, (i) => `${' '.repeat(i + 1)}x`)}`,
    'list.yaml': `a:\n${'- - - x\n'.repeat(500)}`,
    'ninety.yaml': `${'- '.repeat(90)}x`,
    'levels.yaml': Array.from({ length: 90 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'),
  })
  t.match(await loadDocument(join(folder, 'long.yaml')), { length: 3000 })
  t.match(await loadDocument(join(folder, 'list.yaml')), { a: { length: 500 } })
  for (const name of ['lines.yaml', 'ninety.yaml', 'levels.yaml']) {
    await t.resolves(loadDocument(join(folder, name)), name)
  }
})

t.test('an unreadable file is reported', async (t) => {
  const folder = t.testdir({})
  await t.rejects(loadDocument(join(folder, 'nosuch.json')), {
    code: 'invalid-argument',
    message: /^loadDocument: .*nosuch\.json: ENOENT/,
  })
  await t.rejects(loadDocument(folder), {
    code: 'invalid-argument',
    message: /expected the document as a file, got a directory$/,
  })
})

t.test('equal keys of different objects and quotes in values are accepted', async (t) => {
  const text = '{"a": {"b": 1}, "b": [{"a": 1}, {"a": "\\\\"}, "a", "a"], "c": "}{,\\"a"}'
  const folder = t.testdir({ 'a.json': text, 'star.yaml': 'a: "*x"\nb: |\n  &x\n  *y\n# &c\n' })
  t.same(await loadDocument(join(folder, 'a.json')), JSON.parse(text))
  t.same(await loadDocument(join(folder, 'star.yaml')), { a: '*x', b: '&x\n*y\n' })
})

t.test('each problem of a spec is reported with its line', async (t) => {
  const yaml = 'tabel: x\ndoors:\n  - name: ssh\n    service: tcp/99999\n    open: {}\n'
  const json = '{\n\t"doors": [\n\t\t{ "name": 5 }\n\t]\n}\n'
  const folder = t.testdir({ 'a.yaml': yaml, 'a.json': json })
  const placesOf = async (name: string) => {
    const file = join(folder, name)
    try {
      validateSpec(await loadDocument(file))
    } catch (error) {
      const located = await withPlaces(error as SpecError, file)
      t.match(located.message, /^validateSpec: \/.* \(line \d+, column \d+\): expected /)
      return located.problems.map(({ path, line, column }) => `${path} ${line}:${column}`)
    }
    return []
  }
  t.strictSame(await placesOf('a.yaml'), [
    '/tabel 1:1',
    '/doors/0/service 4:5',
    '/doors/0/open/for 5:5',
    '/doors/0/knock 3:5',
  ])
  t.match(await placesOf('a.json'), ['/doors/0/name 3:5'])
})
