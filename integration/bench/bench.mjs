// Runs a benchmark by its name: npm run bench -- NAME [ARGUMENTS]. Without a name it says which
// there are.
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

const [name, ...args] = process.argv.slice(2)
const chosen = programs.find((program) => program.name === name)
if (!chosen) {
  const list = programs.map(({ usage }) => `  npm run bench -- ${usage}\n`).join('')
  process.stderr.write(name ? `there is no benchmark ${name}:\n${list}` : list)
  process.exit(2)
}
const argv = ['--expose-gc', join(compiled, chosen.file.replace(/\.ts$/, '.js')), ...args]
process.exitCode = spawnSync(process.execPath, argv, { stdio: 'inherit' }).status ?? 1
