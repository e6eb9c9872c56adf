// Runs a benchmark by its name: npm run bench -- NAME [ARGUMENTS]. Without a name it says which
// there are.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const compiled = join(here, '../../.cache/integration/bench')

/** Those whose head says how they are called are programs; the others are their parts. */
const programs = readdirSync(here)
  .filter((file) => file.endsWith('.ts'))
  .flatMap((file) => {
    const usage = /^\/\/ {3}npm run bench -- (.*)$/m.exec(readFileSync(join(here, file), 'utf8'))
    return usage ? [{ name: file.replace(/\.ts$/, ''), usage: usage[1] }] : []
  })

const [name, ...args] = process.argv.slice(2)
if (!programs.some((program) => program.name === name)) {
  const list = programs.map(({ usage }) => `  npm run bench -- ${usage}\n`).join('')
  process.stderr.write(name ? `there is no benchmark ${name}:\n${list}` : list)
  process.exit(2)
}
const argv = ['--expose-gc', join(compiled, `${name}.js`), ...args]
process.exitCode = spawnSync(process.execPath, argv, { stdio: 'inherit' }).status ?? 1
