// Runs a benchmark by its name: npm run bench -- NAME [ARGUMENTS]. Without a name it says which
// there are. `all` runs those that the page of figures is made of, one after the other.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const compiled = join(here, '../../.cache/integration/bench')

/** Those whose head says how they are called are programs; the others are their parts. */
const programs = readdirSync(here, { recursive: true })
  .filter((file) => file.endsWith('.ts'))
  .flatMap((file) => {
    const usage = /^\/\/ {3}npm run bench -- (.*)$/m.exec(readFileSync(join(here, file), 'utf8'))
    return usage ? [{ name: basename(file, '.ts'), file, usage: usage[1] }] : []
  })

/** What docs/decide/performance.md is made of. */
const ALL = ['packets', 'scan', 'established', 'install', 'sources', 'guesses']

const [name, ...args] = process.argv.slice(2)
const wanted = name === 'all' ? ALL : [name]
const chosen = wanted.flatMap((one) => programs.filter((program) => program.name === one))
if (chosen.length === 0) {
  const usages = [...programs.map(({ usage }) => usage), 'all [--quick]']
  const list = usages.map((usage) => `  npm run bench -- ${usage}\n`).join('')
  process.stderr.write(name ? `there is no benchmark ${name}:\n${list}` : list)
  process.exit(2)
}
const failed = chosen.filter(({ file }) => {
  const argv = ['--expose-gc', join(compiled, file.replace(/\.ts$/, '.js')), ...args]
  const begun = performance.now()
  const { status } = spawnSync(process.execPath, argv, { stdio: 'inherit' })
  if (name === 'all') console.log(`  took ${((performance.now() - begun) / 1000).toFixed(0)} s`)
  return status !== 0
})
for (const { name } of failed) process.stderr.write(`the benchmark ${name} failed\n`)
process.exitCode = failed.length > 0 ? 1 : 0
