#!/usr/bin/env node
// The first file of the knocklib command: checks Node's version, and loads the rest. A failure of
// that is told in one line.
//
// Any Node from 10 on must be able to read it. So it is CommonJS, uses ES2015 and `import()` alone,
// and loads nothing before it has looked.
const EXIT_MISSING = 3

/** Whether a version is within a range such as `^20.19.0 || >=24`. Knows no other operators. */
const isWithin = (version: string, range: string): boolean =>
  range.split(' || ').some((part) => {
    const least = numbersOf(part)
    const got = numbersOf(version)
    const index = least.findIndex((number, place) => number !== got[place])
    const isEnough = index === -1 || (got[index] as number) > (least[index] as number)
    return isEnough && (part.charAt(0) !== '^' || got[0] === least[0])
  })

const numbersOf = (text: string): number[] =>
  text
    .replace(/^[^0-9]+/, '')
    .split('.')
    .map((number) => parseInt(number, 10))

const fail = (message: string): void => {
  console.error(`knocklib: ${message}`)
  process.exitCode = EXIT_MISSING
}

/**
 * Says why a file of the program could not be loaded. Node says "cannot find" also when it could
 * not look.
 */
const tellFailure = (error: NodeJS.ErrnoException): void => {
  const said = String(error.message || error).split('\n')[0] as string
  const lacks = /\b(EMFILE|ENFILE)\b/.exec(`${error.code} ${said}`)
  if (lacks || (error.code === 'ERR_MODULE_NOT_FOUND' && isThere(said))) {
    const code = lacks ? lacks[0] : 'EMFILE'
    const limit = 'raise the limit of open files (ulimit -n, or LimitNOFILE= of the service)'
    fail(`the program cannot be loaded: no file can be opened (${code}): ${limit}`)
  } else {
    fail(`the program cannot be loaded: ${said}; install it again`)
  }
}

/**
 * Whether the package that Node names is there all the same. To look for it needs no descriptor.
 */
const isThere = (said: string): boolean => {
  const { existsSync } = require('node:fs') as typeof import('node:fs')
  const { dirname, join } = require('node:path') as typeof import('node:path')
  const named = /'([^']+)'/.exec(said)
  if (!named) return false
  const name = named[1] as string
  if (name.charAt(0) === '/') return existsSync(dirname(name))
  return (require.resolve.paths(name) || []).some((folder) => existsSync(join(folder, name)))
}

try {
  const { engines } = require('../../package.json') as { engines: { node: string } }
  if (isWithin(process.versions.node, engines.node)) import('./start.js').catch(tellFailure)
  else fail(`Node ${engines.node} is needed, this is ${process.versions.node}`)
} catch (error) {
  tellFailure(error as NodeJS.ErrnoException)
}
