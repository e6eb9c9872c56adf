// The sources → the built library and command; builds them first if they are older.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * The nearest folder above that is a package: benchmarks and tests are compiled to different ones.
 */
function rootAbove(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : rootAbove(dirname(folder))
}
const root = rootAbove(dirname(fileURLToPath(import.meta.url)))

/** The path of the command, for `process.execPath`. */
export const CLI = join(root, 'dist/command/launch.cjs')
/** The path of the library's main module, which importers of the package get. */
export const LIBRARY = join(root, 'dist/bundle/index.js')
/** Returns the path of a compiled module of lib/. */
export const compiled = (path: string): string => join(root, 'dist', path)

/** Builds the package if a source is newer than it. @throws Error with the compiler's words. */
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
      // Generated files are written by the build itself.
      .filter((name) => /\.(ts|json)$/.test(name) && !/\.test\.ts$|\bgenerated\b/.test(name))
      .map((name) => join(root, folder, name)),
  )
  return Math.max(...files.map(modified))
}
