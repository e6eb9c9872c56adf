// docs/start/cookbook/*.md: what each page holds, and where its links lead.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { parse } from 'yaml'
import { validateSpec } from '../../lib/spec/validate.js'
import { Page, pageNames } from './page.js'

const DOCS = fileURLToPath(new URL('../../docs/start/cookbook/', import.meta.url))

t.test('pages', async (t) => {
  const index = readFileSync(join(DOCS, 'README.md'), 'utf8')
  for (const name of pageNames()) {
    const { text, blocks } = new Page(name)
    t.match(index, `(${name}.md)`, `${name}: the page is in the index`)
    t.match(text, `](${name}.svg)`, `${name}: the page has a picture`)
    const picture = readFileSync(join(DOCS, `${name}.svg`), 'utf8')
    t.match(picture, /<title>[^<]+<\/title>/, `${name}: the picture has a title`)
    t.match(text, '\n## Limits\n', `${name}: the page has its limits`)
    const marks = blocks.map(({ mark }) => mark)
    t.notOk(marks.includes(''), `${name}: each block has a mark`)
    t.equal(new Set(marks).size, marks.length, `${name}: each block has a mark of its own`)
    for (const { mark, text } of blocks) {
      if (mark.startsWith('spec')) t.ok(validateSpec(parse(text)), `${name}: ${mark}`)
    }
  }
  const texts = [
    ['README.md', index] as const,
    ...pageNames().map((name) => [`${name}.md`, new Page(name).text] as const),
  ]
  for (const [file, text] of texts) {
    for (const [, target = ''] of text.matchAll(/\]\(([^)#]+)[^)]*\)/g)) {
      t.ok(existsSync(join(DOCS, dirname(file), target)), `${file}: ${target}`)
    }
  }
})
