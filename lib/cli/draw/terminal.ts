// A stream and the environment → what may be drawn there: how wide, in colour or not, with which
// signs. Pure.

/** What is asked of a stream: of process.stdout. */
export interface Stream {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
}

export type Environment = Readonly<Record<string, string | undefined>>

/** A place to draw. */
export interface Terminal {
  readonly width: number
  readonly height: number
  readonly colour: boolean
  readonly signs: Signs
}

/** The signs of which bars, stages and rules are made; each one column wide. */
export interface Signs {
  readonly full: string
  readonly empty: string
  readonly done: string
  readonly awaited: string
  readonly rule: string
  readonly ellipsis: string
  readonly dot: string
  readonly times: string
}

const UNICODE: Signs = {
  full: '━',
  empty: '╌',
  done: '●',
  awaited: '○',
  rule: '─',
  ellipsis: '…',
  dot: '·',
  times: '×',
}

const ASCII: Signs = {
  full: '#',
  empty: '.',
  done: '*',
  awaited: 'o',
  rule: '-',
  ellipsis: '~',
  dot: '-',
  times: 'x',
}

/** Below, lines are longer than the terminal is wide: nothing of use fits there. */
const NARROWEST = 40
/** Above, the eye loses the line. */
const WIDEST = 120
const USUAL = { columns: 80, rows: 24 } as const

/** Whether people look at it, and it can do more than go on to the next line. */
export const isTerminal = (stream: Stream, env: Environment): boolean =>
  stream.isTTY === true && env['TERM'] !== 'dumb'

export function terminalOf(stream: Stream, env: Environment): Terminal {
  // A terminal that does not know its size says 0.
  const columns = stream.columns || USUAL.columns
  return {
    width: Math.min(Math.max(columns, NARROWEST), WIDEST),
    height: stream.rows || USUAL.rows,
    colour: takesColour(stream, env),
    signs: isUtf8(env) ? UNICODE : ASCII,
  }
}

/**
 * NO_COLOR decides (anything: none), then FORCE_COLOR (0: none), then whether it is a terminal that
 * has colours.
 */
export function takesColour(stream: Stream, env: Environment): boolean {
  const { FORCE_COLOR, NO_COLOR } = env
  if (NO_COLOR !== undefined && NO_COLOR !== '') return false
  if (FORCE_COLOR !== undefined) return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false'
  return isTerminal(stream, env)
}

/** As the C library finds the locale: the first of these that is not empty. */
function isUtf8(env: Environment): boolean {
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || ''
  return /utf-?8/i.test(locale)
}
