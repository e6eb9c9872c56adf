// A stream and the environment → what can be drawn there: width, colours, signs. Pure.

/** The part of process.stdout that matters here. */
export interface Stream {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
}

export type Environment = Readonly<Record<string, string | undefined>>

/** A terminal's size and abilities. */
export interface Terminal {
  readonly width: number
  readonly height: number
  readonly colour: boolean
  readonly signs: Signs
}

/** The signs of bars, stages and rules; each is one column wide. */
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

/** In a narrower terminal lines are cut: nothing useful fits there. */
const NARROWEST = 40
/** Wider lines are hard to follow. */
const WIDEST = 120
const USUAL = { columns: 80, rows: 24 } as const

/** Whether it is a terminal that can move the cursor. */
export const isTerminal = (stream: Stream, env: Environment): boolean =>
  stream.isTTY === true && env['TERM'] !== 'dumb'

export function terminalOf(stream: Stream, env: Environment): Terminal {
  // A terminal that does not know its size reports 0.
  const columns = stream.columns || USUAL.columns
  return {
    width: Math.min(Math.max(columns, NARROWEST), WIDEST),
    height: stream.rows || USUAL.rows,
    colour: takesColour(stream, env),
    signs: isUtf8(env) ? UNICODE : ASCII,
  }
}

/**
 * Decides by NO_COLOR (anything but empty: no colours), then FORCE_COLOR (0 or false: none), then
 * by the terminal.
 */
export function takesColour(stream: Stream, env: Environment): boolean {
  const { FORCE_COLOR, NO_COLOR } = env
  if (NO_COLOR !== undefined && NO_COLOR !== '') return false
  if (FORCE_COLOR !== undefined) return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false'
  return isTerminal(stream, env)
}

/** As the C library finds the locale: the first variable that is not empty. */
function isUtf8(env: Environment): boolean {
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || ''
  return /utf-?8/i.test(locale)
}
