// Series of points → a plot as SVG, for light and dark pages. Colours and marks both tell the
// series apart. Pure.
import { type Axis, linearAxis, logAxis } from './axis.js'

export interface Series {
  readonly name: string
  readonly points: readonly (readonly [x: number, y: number])[]
}

export interface Plot {
  readonly title: string
  /** What one sees in it, for those who cannot see it. */
  readonly description: string
  readonly x: string
  readonly y: string
  /** Whether a factor is a distance on the vertical axis. The horizontal one is always so. */
  readonly isLog: boolean
  readonly series: readonly Series[]
}

const WIDTH = 760
const HEIGHT = 380
/** The area of the points. */
const AREA = { left: 74, top: 50, right: 560, bottom: 322 } as const

const STYLE = `
    .bg { fill: #ffffff } .fg { fill: #1f2937 } .dim { fill: #4b5563 }
    .grid { stroke: #e5e7eb } .axis { stroke: #6b7280; fill: none }
    .s0 { --c: #1d4ed8 } .s1 { --c: #c2410c } .s2 { --c: #15803d } .s3 { --c: #a21caf }
    .s4 { --c: #374151 }
    .line { stroke: var(--c); fill: none; stroke-width: 2 } .mark { fill: var(--c) }
    @media (prefers-color-scheme: dark) {
      .bg { fill: #0d1117 } .fg { fill: #e5e7eb } .dim { fill: #9ca3af }
      .grid { stroke: #263040 } .axis { stroke: #9ca3af }
      .s0 { --c: #60a5fa } .s1 { --c: #fb923c } .s2 { --c: #4ade80 } .s3 { --c: #e879f9 }
      .s4 { --c: #d1d5db }
    }`

/** The shapes of the marks, around 0. */
const MARKS = [
  '<circle r="4"/>',
  '<rect x="-4" y="-4" width="8" height="8"/>',
  '<path d="M0 -5 L5 4 L-5 4 z"/>',
  '<path d="M0 -5.5 L5.5 0 L0 5.5 L-5.5 0 z"/>',
  '<path d="M-4 -1.5 H-1.5 V-4 H1.5 V-1.5 H4 V1.5 H1.5 V4 H-1.5 V1.5 H-4 z"/>',
]

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`)

const number = (value: number): string =>
  value.toLocaleString('en', { maximumSignificantDigits: 3 })

const at = (value: number): string => String(Math.round(value * 10) / 10)

interface Scale {
  readonly axis: Axis
  readonly from: number
  readonly to: number
}

const onScale = ({ axis, from, to }: Scale, value: number): string =>
  at(from + axis.place(value) * (to - from))

function drawAxes({ x, y }: Plot, across: Scale, up: Scale): string[] {
  const { left, right, top, bottom } = AREA
  const rows = up.axis.ticks.flatMap((tick) => {
    const place = onScale(up, tick)
    const text = `<text class="dim" x="${left - 8}" y="${place}" dy="4" text-anchor="end">`
    return [`<path class="grid" d="M${left} ${place} H${right}"/>`, `${text}${number(tick)}</text>`]
  })
  const columns = across.axis.ticks.flatMap((tick) => {
    const place = onScale(across, tick)
    const text = `<text class="dim" x="${place}" y="${bottom + 20}" text-anchor="middle">`
    return [`<path class="axis" d="M${place} ${bottom} v5"/>`, `${text}${number(tick)}</text>`]
  })
  const middle = (left + right) / 2
  return [
    ...rows,
    ...columns,
    `<path class="axis" d="M${left} ${top} V${bottom} H${right}"/>`,
    `<text class="fg" x="${middle}" y="${bottom + 44}" text-anchor="middle">${escaped(x)}</text>`,
    `<text class="fg" x="${left - 62}" y="${top - 14}">${escaped(y)}</text>`,
  ]
}

const markOf = (index: number, x: string, y: string): string =>
  `<g class="mark" transform="translate(${x} ${y})">${MARKS[index % MARKS.length]}</g>`

function drawSeries({ points }: Series, index: number, across: Scale, up: Scale): string {
  const places = points.map(([x, y]) => [onScale(across, x), onScale(up, y)] as const)
  const line = places.map((place) => place.join(' ')).join(' L')
  const marks = places.map(([x, y]) => markOf(index, x, y)).join('')
  return `<g class="s${index % 5}"><path class="line" d="M${line}"/>${marks}</g>`
}

const drawLegend = (series: readonly Series[]): string[] =>
  series.map(({ name }, index) => {
    const [x, y] = [AREA.right + 24, AREA.top + 12 + 24 * index]
    const text = `<text class="fg" x="${x + 14}" y="${y}" dy="4">${escaped(name)}</text>`
    return `<g class="s${index % 5}">${markOf(index, at(x), at(y))}</g>${text}`
  })

/** Draws the plot. */
export function drawPlot(plot: Plot): string {
  const { title, description, isLog, series } = plot
  const all = series.flatMap(({ points }) => points)
  const heights = all.map(([, y]) => y)
  const axis = isLog ? logAxis(heights) : linearAxis(heights)
  const up = { axis, from: AREA.bottom, to: AREA.top }
  const across = { axis: logAxis(all.map(([x]) => x)), from: AREA.left, to: AREA.right }
  const font = 'font-family="Helvetica, Arial, sans-serif" font-size="13"'
  const size = `viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}"`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} ${font} role="img" aria-labelledby="t d">`,
    `  <title id="t">${escaped(title)}</title>`,
    `  <desc id="d">${escaped(description)}</desc>`,
    `  <style>${STYLE}\n  </style>`,
    `  <rect class="bg" width="${WIDTH}" height="${HEIGHT}"/>`,
    `  <text class="fg" x="12" y="20" font-weight="bold">${escaped(title)}</text>`,
    ...drawAxes(plot, across, up).map((line) => `  ${line}`),
    ...series.map((one, index) => `  ${drawSeries(one, index, across, up)}`),
    ...drawLegend(series).map((line) => `  ${line}`),
    '</svg>',
    '',
  ].join('\n')
}
