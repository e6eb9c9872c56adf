// The arguments of nft → a command line for the login shell of another machine. Pure.
//
// The scripts have no single quote, backslash, exclamation mark or line break. So sh, bash, zsh,
// fish, csh and busybox read the same in them.
import { SYSTEM_FOLDERS } from '../process/binary.js'
import { CUT_OFF, NO_FILE } from '../process/hand-over.js'

/**
 * What the shell writes to both of its outputs before nft starts. What stands above it was written
 * by files of the login shell.
 */
export const STARTED = 'knocklib: started'

const PREPARE = [
  `echo "${STARTED}"`,
  `echo "${STARTED}" >&2`,
  `export LC_ALL=C TZ=UTC PATH="$PATH:${SYSTEM_FOLDERS.join(':')}"`,
].join('; ')

/**
 * Not `exec`: ssh ends with 255 after a signal as after a lost connection. The shell's own exit
 * code says which signal it was.
 */
const NFT = '"$@"'
const END = 'exit $?'

const RUN = `${PREPARE}; ${NFT}; ${END}`

/** Where the file is made: in the first of them that takes it. */
const FOLDERS = ['/tmp', '/dev/shm', '/run']

/** The file without a name, opened again at its begin. */
const FILE = '/proc/self/fd/3'

/**
 * Writes stdin to a file that only its owner can open and that has no name any more when the
 * document comes. Starts nft only if the whole document came: nft executes a script that is cut off
 * as far as it goes, and 1.0.6 reports success for JSON that is.
 */
const RUN_ON_FILE = [
  PREPARE,
  'umask 077',
  'size=$1',
  'shift',
  [
    ...FOLDERS.map((folder) => `file=$(mktemp ${folder}/knocklib-XXXXXX)`),
    `{ echo "${NO_FILE}" >&2; exit 1; }`,
  ].join(' || '),
  'exec 3>"$file"',
  'rm -f "$file"',
  'cat >&3',
  `[ "$(wc -c <${FILE})" -eq "$size" ] || { echo "${CUT_OFF}" >&2; exit 1; }`,
  `${NFT} <${FILE} 3>&-`,
  END,
].join('; ')

/** Ends when its stdin does, which is when this process ends, however it ends. */
const HOLD = `echo "${STARTED}"; exec cat >/dev/null`

/** Quotes a word for any of those shells. */
const quote = (word: string): string =>
  /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`

const through = (script: string, words: readonly string[] = []): string =>
  ['exec /bin/sh -c', quote(script), 'sh', ...words.map(quote)].join(' ')

/**
 * Returns the command line that runs nft there.
 *
 * @param size - bytes of a document that comes through stdin and that nft reads from a file;
 * absent: nft has the stdin of the shell.
 */
export const runRemotely = (argv: readonly string[], size?: number): string =>
  size === undefined ? through(RUN, argv) : through(RUN_ON_FILE, [String(size), ...argv])

/** Returns the command line of the session that keeps a connection. */
export const holdRemotely = (): string => through(HOLD)

/** Takes away what was written before nft was started; undefined if nothing was started. */
export function sinceStart(text: string): string | undefined {
  const [, rest] = new RegExp(`(?:^|\n)${STARTED}(?:\n|$)(.*)`, 's').exec(text) ?? []
  return rest
}
