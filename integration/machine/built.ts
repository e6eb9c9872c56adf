// The sources → the built library and command; builds them first if they are older.
import { spawnSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** The command, to be run by `process.execPath`. */
export const CLI = join(root, 'dist/command/launch.cjs')
/** The library's main module, as the package gives it to who imports it. */
export const LIBRARY = join(root, 'dist/bundle/index.js')
/** What the compiler made of a module of lib/. */
export const compiled = (path: string): string => join(root, 'dist', path)

/** @throws Error with the compiler's words. */
export function build(): void {
  if (modified(CLI) > newestSource()) return
  const { status, stdout, stderr } = spawnSync('npm', ['run', '--silent', 'build'], {
    cwd: root,
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`npm run build: ${stdout}${stderr}`)
}

const modified = (path: string): number =>
  statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Number.NEGATIVE_INFINITY

function newestSource(): number {
  const files = ['lib', 'schemas'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      // The build itself writes the generated ones.
      .filter((name) => /\.(ts|json)$/.test(name) && !/\.test\.ts$|\bgenerated\b/.test(name))
      .map((name) => join(root, folder, name)),
  )
  return Math.max(...files.map(modified))
}
