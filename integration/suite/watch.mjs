// Compiles as files change, and runs a test again each time that all of it compiles: npm run
// test:watch -- FILE. Ctrl-C ends it.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { root } from './files.mjs'

const files = process.argv.slice(2)
if (files.length === 0) {
  process.stderr.write('test:watch: expected a test, such as lib/spec/validate.test.ts\n')
  process.exit(2)
}

const argv = ['--enable-source-maps', '--import=./integration/suite/register.mjs', ...files]
const env = { ...process.env, TAP_TIMEOUT: '3600' }
let test

/** One run at a time: an older one is of older sources. */
function runTest() {
  test?.kill()
  test = spawn(process.execPath, argv, { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] })
}

const tsc = join(root, 'node_modules/typescript/bin/tsc')
const watching = ['-p', 'integration/suite', '--watch', '--preserveWatchOutput']
const compiler = spawn(process.execPath, [tsc, ...watching], {
  cwd: root,
  stdio: ['ignore', 'pipe', 'inherit'],
})
compiler.stdout.setEncoding('utf8').on('data', (text) => {
  process.stdout.write(text)
  if (/Found 0 errors/.test(text)) runTest()
})
process.on('SIGINT', () => {
  test?.kill()
  compiler.kill()
})
compiler.on('exit', (code) => {
  process.exitCode = code ?? 0
})
