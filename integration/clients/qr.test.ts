// A profile as a QR code, drawn for a terminal and as SVG → read by zbar, which we did not write.

import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import t from 'tap'
import { drawCode, matrixOf, svgOf } from '../../lib/profile/qr.js'
import { missing } from '../machine/capabilities.js'

const URI =
  'knocklib://server.example:22/ssh#token&port=udp/41234&carrier=stun&period=30s&for=10m&' +
  'addr=203.0.113.9,2001:db8::9&secret=%C3%A4%2BWnL7lb85TXP5XMbJckduyspFFDwaG3'

/** Pixels of one module. */
const SCALE = 4

/** What a terminal shows → rows of modules: each character is one above another. */
function readDrawing(drawing: string): boolean[][] {
  const lines = stripVTControlCharacters(drawing).split('\n').slice(0, -1)
  return lines.flatMap((line) =>
    ['█▀', '█▄'].map((dark) => [...line].map((character) => dark.includes(character))),
  )
}

/** Draws the rectangles of an SVG's path. */
function readSvg(svg: string): boolean[][] {
  const size = Number(/viewBox="0 0 (\d+)/.exec(svg)?.[1])
  const rows = Array.from({ length: size }, () => new Array<boolean>(size).fill(false))
  const path = /<path d="([^"]*)"/.exec(svg)?.[1] ?? ''
  for (const [, x, y, width] of path.matchAll(/M(\d+) (\d+)h(\d+)v1h-\d+z/g)) {
    rows[Number(y)]?.fill(true, Number(x), Number(x) + Number(width))
  }
  return rows
}

/** Netpbm's plain bitmap. */
function bitmapOf(rows: readonly (readonly boolean[])[]): string {
  const lines = rows.flatMap((row) => {
    const line = row.map((isDark) => (isDark ? '1 ' : '0 ').repeat(SCALE)).join('')
    return new Array<string>(SCALE).fill(line)
  })
  const [width = 0, height] = [rows[0]?.length, rows.length]
  return `P1\n${width * SCALE} ${height * SCALE}\n${lines.join('\n')}\n`
}

t.test('zbar reads the URI from the QR code', { skip: missing('zbarimg') }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'knocklib-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const scan = async (rows: readonly (readonly boolean[])[]): Promise<string> => {
    const file = join(folder, 'code.pbm')
    await writeFile(file, bitmapOf(rows))
    const args = ['-q', '--raw', '-Sdisable', '-Sqrcode.enable', file]
    const { stdout, stderr } = spawnSync('zbarimg', args, { encoding: 'utf8' })
    t.comment(stderr)
    return stdout.trim()
  }
  for (const text of [URI, `https://a.example/door.html#secret=${'Xy9'.repeat(12)}`]) {
    const code = await matrixOf(text)
    t.equal(await scan(readDrawing(drawCode(code))), text, 'zbar reads the code of a terminal')
    t.equal(await scan(readSvg(svgOf(code))), text, 'zbar reads the code of an SVG')
    const broken = code.map((row, y) => row.map((isDark, x) => (y > 20 && x > 20) !== isDark))
    t.equal(await scan(broken), '', 'zbar reads nothing from a broken code')
  }
})
