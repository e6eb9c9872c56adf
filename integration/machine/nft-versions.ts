// Debian's releases → an nft of each, under .cache/nft/ with its own libraries. Downloads them once
// from the machine's mirror.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Test } from 'tap'
import { missing } from './capabilities.js'

const run = promisify(execFile)

export interface NftVersion {
  /** As the binary reports it, such as `1.0.6`. */
  readonly version: string
  /** A script that runs it. */
  readonly path: string
}

/** Debian's suites with the oldest supported nft, with the stable one, and with the newest. */
const SUITES = ['bookworm', 'trixie', 'sid']

const CACHE = new URL('../../.cache/nft/', import.meta.url).pathname

let found: Promise<NftVersion[]> | undefined

/**
 * Returns an nft of each suite, the oldest first: 1.0.6, 1.1.3, and 1.1.7 or newer.
 *
 * @throws Error if one is not in the cache and cannot be fetched.
 */
export function nftVersions(): Promise<NftVersion[]> {
  found ??= Promise.all(SUITES.map(async (suite) => (await cached(suite)) ?? fetchSuite(suite)))
  return found
}

/**
 * Returns the versions, and why to skip a test that needs them and namespaces; false if nothing is
 * missing.
 *
 * @throws Error in CI, where nothing may be missing.
 */
export async function versionsOrSkip(): Promise<{ versions: NftVersion[]; skip: string | false }> {
  const lacks = missing()
  if (lacks) return { versions: [], skip: lacks }
  try {
    return { versions: await nftVersions(), skip: false }
  } catch (error) {
    if (process.env['CI'] === 'true') throw error
    const skip = `missing capability: ${(error as Error).message}`
    console.error(`SKIPPED, ${skip}`)
    return { versions: [], skip }
  }
}

/** Declares a test with the oldest and with the newest nft, or one that is skipped. */
export function testOldAndNew(
  t: Test,
  { versions, skip }: { readonly versions: readonly NftVersion[]; readonly skip: string | false },
  name: string,
  run: (t: Test, binary: string) => Promise<void>,
): void {
  if (skip) t.test(name, { skip }, () => {})
  for (const one of skip ? [] : [versions[0], versions.at(-1)]) {
    const { version, path } = one as NftVersion
    t.test(`${name}, nft ${version}`, { buffered: true }, (t) => run(t, path))
  }
}

async function cached(suite: string): Promise<NftVersion | undefined> {
  if (!existsSync(CACHE)) return undefined
  for (const version of await readdir(CACHE)) {
    const mark = await readFile(join(CACHE, version, 'suite'), 'utf8').catch(() => '')
    if (mark !== suite || version.startsWith('.')) continue
    const path = join(CACHE, version, 'nft')
    const reported = await versionOf(path)
    if (reported !== version) throw new Error(`${path}: expected ${version}, got ${reported}`)
    return { version, path }
  }
  return undefined
}

async function versionOf(path: string): Promise<string> {
  const { stdout } = await run(path, ['--version'])
  const version = /^nftables v(\S+)/.exec(stdout)?.[1]
  if (!version) throw new Error(`${path}: expected a version, got ${JSON.stringify(stdout)}`)
  return version
}

/**
 * Fetches the nft of a suite. Test files run side by side, so each works in a folder of its own,
 * and the first to finish moves its folder into place.
 */
async function fetchSuite(suite: string): Promise<NftVersion> {
  await mkdir(CACHE, { recursive: true })
  const folder = await mkdtemp(join(CACHE, `.${suite}-`))
  try {
    await download(suite, folder)
    const path = await writeScript(folder)
    const version = await versionOf(path)
    await writeFile(join(folder, 'suite'), suite)
    await rename(folder, join(CACHE, version)).catch(() => undefined)
    return (await cached(suite)) as NftVersion
  } catch (error) {
    // apt's last line instead of its whole command line.
    const { message, stderr = '' } = error as Error & { stderr?: string }
    const reason = stderr.trim().split('\n').at(-1) || message
    throw new Error(`nft of Debian ${suite} cannot be fetched: ${reason}`, { cause: error })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Downloads nft and its dependencies, with package lists apart from the machine's own. */
async function download(suite: string, folder: string): Promise<void> {
  const apt = join(folder, 'apt')
  const packages = join(apt, 'cache', 'archives')
  await mkdir(join(apt, 'lists', 'partial'), { recursive: true })
  await mkdir(join(packages, 'partial'), { recursive: true })
  await writeFile(join(apt, 'status'), '')
  await writeFile(join(apt, 'sources.list'), `${await sourceLine(suite)}\n`)
  const options = [
    ['Dir::Etc::sourcelist', join(apt, 'sources.list')],
    ['Dir::Etc::sourceparts', '-'],
    ['Dir::State', apt],
    ['Dir::State::status', join(apt, 'status')],
    ['Dir::Cache', join(apt, 'cache')],
    ['APT::Architecture', (await run('dpkg', ['--print-architecture'])).stdout.trim()],
    ['APT::Architectures', ''],
    ['APT::Sandbox::User', ''],
    ['Debug::NoLocking', 'true'],
    ['Acquire::Languages', 'none'],
    ['Acquire::Retries', '2'],
  ].flatMap(([name, value]) => ['-o', `${name}=${value}`])
  const env = { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' }
  await run('apt-get', [...options, '-qq', 'update'], { env })
  const install = ['-qq', '-y', '--download-only', '--no-install-recommends', 'install', 'nftables']
  await run('apt-get', [...options, ...install], { env })
  for (const name of await readdir(packages)) {
    if (name.endsWith('.deb')) await run('dpkg', ['-x', join(packages, name), join(folder, 'root')])
  }
  await rm(apt, { recursive: true })
}

/** Returns the line of apt's sources for a suite on this machine's Debian mirror. */
async function sourceLine(suite: string): Promise<string> {
  for (const text of await aptSources()) {
    const url = mirrorOf(text)
    if (!url) continue
    const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'
    const signed = existsSync(keyring) ? `[signed-by=${keyring}] ` : ''
    return `deb ${signed}${url} ${suite} main`
  }
  throw new Error('no mirror of Debian in /etc/apt')
}

async function aptSources(): Promise<string[]> {
  const parts = '/etc/apt/sources.list.d'
  const names = existsSync(parts) ? (await readdir(parts)).sort() : []
  const files = ['/etc/apt/sources.list', ...names.map((name) => join(parts, name))]
  return Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => '')))
}

const RELEASE = /(^|\s)(bullseye|bookworm|trixie|forky|sid|stable|testing|unstable)(\s|$)/

/**
 * Returns the first mirror that a file of apt's sources names for a Debian release. Reads both
 * forms of such files.
 */
function mirrorOf(text: string): string | undefined {
  const active = text.replace(/^\s*#.*\n?/gm, '')
  for (const stanza of active.split(/\n\s*\n/)) {
    const field = (name: string) => new RegExp(`^${name}:\\s*(.+)$`, 'im').exec(stanza)?.[1] ?? ''
    const suites = field('Suites')
    if (RELEASE.test(suites) && /\bmain\b/.test(field('Components'))) {
      return field('URIs').split(/\s+/)[0]
    }
  }
  for (const line of active.split('\n')) {
    const match = /^deb\s+(?:\[[^\]]*\]\s*)?(\S+)\s+(\S+)\s+.*\bmain\b/.exec(line.trim())
    if (match && RELEASE.test(match[2] as string)) return match[1]
  }
  return undefined
}

/** Writes a script that starts nft with its own loader and libraries. */
async function writeScript(folder: string): Promise<string> {
  const root = join(folder, 'root')
  const files = await readdir(root, { recursive: true, withFileTypes: true })
  const loader = files.find((file) => file.isFile() && /^ld-linux.*\.so\.\d+$/.test(file.name))
  const nft = files.find((file) => file.isFile() && file.name === 'nft')
  if (!loader || !nft) throw new Error('no nft, or no loader, in the packages')
  const isLibrary = (name: string) => /\.so(\.\d+)+$/.test(name)
  const folders = files.filter(({ name }) => isLibrary(name)).map(({ parentPath }) => parentPath)
  const inScript = (path: string) => `"$here"${path.slice(folder.length)}`
  const path = join(folder, 'nft')
  const lines = [
    '#!/bin/sh',
    // No `dirname`: it would be one more process for each call.
    `here=\${0%/*}`,
    `exec ${inScript(join(loader.parentPath, loader.name))} \\`,
    `  --library-path ${[...new Set(folders)].map(inScript).join(':')} \\`,
    `  ${inScript(join(nft.parentPath, nft.name))} "$@"`,
  ]
  await writeFile(path, `${lines.join('\n')}\n`)
  await chmod(path, 0o755)
  return path
}
