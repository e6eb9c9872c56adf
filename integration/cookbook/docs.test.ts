// What README and docs show → run as a reader would run it: examples, command lines, specs and
// links.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { parse } from 'yaml'
import { CLIENT_KINDS } from '../../lib/automaton/kinds/client-kinds.js'
import { requireProfile } from '../../lib/client/profile.js'
import type { SpecError } from '../../lib/errors.js'
import type { KnockSpec } from '../../lib/index.js'
import { validateSpec } from '../../lib/spec/validate.js'
import { missing } from '../machine/capabilities.js'
import { createPair, exec } from '../machine/namespaces.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const CLI = join(ROOT, 'dist/command/launch.cjs')
const PAGES = [
  'README.md',
  ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' }).map(
    (name) => `docs/${name}`,
  ),
].filter((name) => name.endsWith('.md'))

/** Keys of which a profile has one and a spec none. */
const PROFILE_KEYS: readonly string[] = [...Object.keys(CLIENT_KINDS), 'host']

const DOOR = { name: 'ssh', service: 'tcp/22', open: { for: 30 } }

const read = (page: string): string => readFileSync(join(ROOT, page), 'utf8')

/** Returns the fenced blocks of a language. */
const blocks = (page: string, language: string): string[] =>
  [...read(page).matchAll(/```(\w+)\n(.*?)```/gs)].flatMap(([, name, text]) =>
    name === language && text !== undefined ? [text] : [],
  )

/** Returns the anchor of a heading by the rule of GitHub and GitLab. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-')

const anchorsOf = (page: string): string[] =>
  [...read(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => anchorOf(heading))

t.test('each link of a page has a target', async (t) => {
  for (const page of PAGES) {
    for (const [, target = '', anchor] of read(page).matchAll(/\]\(([^)#]*)(?:#([^)]*))?\)/g)) {
      if (target.startsWith('http')) continue
      const path = target === '' ? page : join(dirname(page), target)
      t.ok(existsSync(join(ROOT, path)), `${page}: ${target}`)
      if (anchor !== undefined) t.ok(anchorsOf(path).includes(anchor), `${page}: ${path}#${anchor}`)
    }
  }
})

t.test('specs and profiles of the pages are valid, in JSON and in YAML', async (t) => {
  const found = { specs: 0, profiles: 0 }
  for (const page of PAGES) {
    const documents: unknown[] = [
      ...blocks(page, 'json').map((text) => JSON.parse(text)),
      ...blocks(page, 'yaml').map((text) => parse(text)),
      ...[...read(page).matchAll(/<<'SPEC'\n(.*?)\nSPEC/gs)].map(([, text = '']) => parse(text)),
    ]
    for (const document of documents) {
      if (Array.isArray(document)) {
        // The block is a list of knocks.
        for (const knock of document) t.ok(validateSpec({ doors: [{ ...DOOR, knock }] }), page)
      } else if (Object.keys(document as object).some((key) => PROFILE_KEYS.includes(key))) {
        t.ok(await requireProfile(document, page), page)
        found.profiles += 1
      } else {
        t.ok(validateSpec(document), page)
        found.specs += 1
      }
    }
  }
  // Documents of other programs.
  for (const page of PAGES) for (const text of blocks(page, 'yml')) t.type(parse(text), 'object')
  t.ok(found.specs > 15 && found.profiles > 6, JSON.stringify(found))
})

t.test('docs/start/spec.md shows the real messages of problems', async (t) => {
  const door = {
    name: 'ssh',
    service: 'tcp/22',
    knock: { type: 'sequence', steps: ['udp/7000', 'tcp/70000'] },
    open: { for: 30 },
  }
  const twin = { ...door, service: 'tcp/23', knock: { type: 'sequence', steps: ['udp/7000'] } }
  const shown = read('docs/start/spec.md').match(/^\/doors.*$/gm) ?? []
  t.equal(shown.length, 2)
  const problems = ([{ doors: [door] }, { doors: [{ ...door, knock: twin.knock }, twin] }] as const)
    .flatMap((spec) => {
      try {
        validateSpec(spec)
        return []
      } catch (error) {
        return (error as SpecError).problems
      }
    })
    .map(({ path, message }) => `${path}: ${message}`)
  t.strictSame(shown, problems)
})

const skip = missing()

t.test('the examples and command lines of the pages run', { skip }, async (t) => {
  await using pair = await createPair()
  // The folder is inside the project, so that `import 'knocklib'` finds the build.
  const folder = join(ROOT, '.cache', 'docs')
  await mkdir(folder, { recursive: true })
  const own = await mkdtemp(join(folder, 'run-'))
  t.teardown(() => rm(own, { recursive: true }))

  const [example = ''] = blocks('README.md', 'js')
  const api = blocks('docs/embed/api.md', 'js')
  const attached = api.find((text) => text.includes('attachKnock({')) ?? ''
  const printed: string[] = []
  for (const [index, code] of [api[0] ?? '', example, attached].entries()) {
    t.match(code, "from 'knocklib'")
    const file = join(own, `example${index}.mjs`)
    await writeFile(file, code)
    const { code: exitCode, stdout, stderr } = await exec(pair.server, process.execPath, [file])
    t.equal(exitCode, 0, stderr)
    printed.push(stdout)
  }
  const [, shown] = /^```\n(made\n.*?)^```$/ms.exec(read('docs/embed/api.md')) ?? []
  t.equal(
    printed[0]?.replace(/expiresIn: \d+/, 'expiresIn: 600'),
    shown,
    'the page shows what the library prints',
  )

  const spec: KnockSpec = JSON.parse(blocks('docs/start/spec.md', 'json')[0] ?? '')
  await writeFile(join(own, 'doors.yaml'), JSON.stringify(spec), { mode: 0o600 })
  await writeFile(join(own, 'trace.txt'), '0 10.77.0.2 tcp/7000\n')
  const lines = (blocks('docs/start/commands.md', 'sh')[0] ?? '')
    .split('\n')
    .filter((line) => line.startsWith('knocklib'))
  t.ok(lines.length >= 7)
  for (const line of lines) {
    const command = line
      .replace(/#.*/, '')
      .replace('server.example', '10.77.0.1')
      .replace('/etc/', `${own}/`)
      .replace('knocklib', `${process.execPath} ${CLI}`)
    const { code, stderr } = await exec(pair.server, 'sh', ['-c', command], { cwd: own })
    t.equal(code, 0, `${line}: ${stderr}`)
  }
  const loaded = await exec(pair.server, 'nft', ['-c', '-f', join(own, 'knock.nft')])
  t.equal(loaded.code, 0, loaded.stderr)
})
