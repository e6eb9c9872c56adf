// A profile and its secret → a QR code: drawn on a terminal, or as SVG for a file. Pure; the only
// importer of qr.
import { ArgumentError } from '../errors.js'
import type { ProfileFormat } from './formats.js'
import { writeUri } from './uri.js'

export const qr: ProfileFormat = {
  summary: 'the URI as a QR code on a terminal, or with --output as SVG; it holds the secret',
  needsSecret: true,
  async write(profile, context) {
    const { isFile, columns } = context
    if (!isFile && columns === undefined) {
      const expected = 'a terminal to show the code on, or --output FILE for an SVG image'
      throw new ArgumentError(`profile: --format qr: expected ${expected}, got a pipe or a file`)
    }
    const rows = await matrixOf(await writeUri(profile, context, 'qr'))
    if (isFile || columns === undefined) return svgOf(rows)
    if (rows.length > columns) {
      const expected = `a terminal of at least ${rows.length} columns, or --output FILE`
      throw new ArgumentError(`profile: --format qr: expected ${expected}, got ${columns} columns`)
    }
    return drawCode(rows)
  },
}

/** Rows of modules, true for dark, with the border that readers need around them. */
export type Matrix = readonly (readonly boolean[])[]

/** The most bytes of a code that is still read well from a screen. */
const LONGEST = 600

/** @throws ArgumentError if the text is too long for a code. */
export async function matrixOf(text: string): Promise<Matrix> {
  const { length } = new TextEncoder().encode(text)
  if (length > LONGEST) {
    const limit = `expected at most ${LONGEST} bytes for a code, got ${length}`
    throw new ArgumentError(`profile: --format qr: ${limit}; use --format uri`)
  }
  // Loaded when a code is drawn.
  const { encodeQR } = await import('qr')
  return encodeQR(text, 'raw', { ecc: 'low', border: 4 })
}

/** Black on white, also on a dark terminal: many readers take no other. */
const COLOURS = '\u001b[30;107m'
const PLAIN = '\u001b[0m'

/** Draws two rows of modules in each line, as half blocks. */
export function drawCode(rows: Matrix): string {
  const lines = Array.from({ length: Math.ceil(rows.length / 2) }, (_, line) => {
    const [upper = [], lower] = rows.slice(2 * line, 2 * line + 2)
    const blocks = upper.map((isDark, column) => {
      const isDarkBelow = lower?.[column] ?? false
      return isDark ? (isDarkBelow ? '█' : '▀') : isDarkBelow ? '▄' : ' '
    })
    return `${COLOURS}${blocks.join('')}${PLAIN}\n`
  })
  return lines.join('')
}

/** Draws each run of dark modules as a rectangle. */
export function svgOf(rows: Matrix): string {
  const size = rows.length
  const runs = rows.flatMap((row, y) =>
    [
      ...row
        .map((isDark) => (isDark ? '1' : '0'))
        .join('')
        .matchAll(/1+/g),
    ].map(({ index, 0: { length } }) => `M${index} ${y}h${length}v1h-${length}z`),
  )
  const box = `viewBox="0 0 ${size} ${size}" width="${6 * size}" height="${6 * size}"`
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" ${box} shape-rendering="crispEdges">` +
    `<path fill="#fff" d="M0 0h${size}v${size}h-${size}z"/><path d="${runs.join('')}"/></svg>\n`
  )
}
