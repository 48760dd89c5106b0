// Draws plots as SVG text: lines over time, and bars. No library: files that a browser and GitHub show.

export interface Line {
  name: string
  points: ReadonlyArray<readonly [x: number, y: number]>
}

export interface LinePlot {
  title: string
  xLabel: string
  yLabel: string
  lines: readonly Line[]
  /** Powers of ten instead of a scale from 0, where curves differ by orders of magnitude. */
  isLogX?: boolean
  isLogY?: boolean
}

export interface BarPlot {
  title: string
  groups: ReadonlyArray<{ label: string; bars: ReadonlyArray<{ series: string; value: number }> }>
}

const colors = [
  '#0b6bcb',
  '#c2410c',
  '#15803d',
  '#7e22ce',
  '#b91c1c',
  '#525252',
  '#0e7490',
  '#a16207',
  '#be185d',
  '#4338ca',
]
const dashes = ['', '7 3', '2 3']
/** Mean width of a character at the font size used, a little more than it is. */
const characterWidth = 7.2
const width = 900
/** Points that are left of a curve: more are not seen. */
const maxPoints = 300

/** Lines over two axes, their names beside them. */
export function drawLines({ title, xLabel, yLabel, lines, isLogX = false, isLogY = false }: LinePlot): string {
  const longestName = Math.max(...lines.map(({ name }) => name.length))
  const size = { left: 70, right: 56 + longestName * characterWidth, top: 48, bottom: 56, height: 440 }
  const all = lines.flatMap(({ points }) => points)
  const right = width - size.right
  const bottom = size.height - size.bottom
  const x = axis(
    all.map(([value]) => value),
    isLogX,
    size.left,
    right,
  )
  const y = axis(
    all.map(([, value]) => value),
    isLogY,
    bottom,
    size.top,
  )
  const parts = [
    ...y.ticks.flatMap((tick) => [
      `<line x1="${size.left}" x2="${right}" y1="${y.at(tick)}" y2="${y.at(tick)}" stroke="#ddd"/>`,
      `<text x="${size.left - 8}" y="${Number(y.at(tick)) + 4}" text-anchor="end" fill="#444">${tick}</text>`,
    ]),
    ...x.ticks.map(
      (tick) => `<text x="${x.at(tick)}" y="${bottom + 20}" text-anchor="middle" fill="#444">${tick}</text>`,
    ),
    `<text x="${(size.left + right) / 2}" y="${size.height - 12}" text-anchor="middle">${xmlText(xLabel)}</text>`,
    `<text transform="translate(18 ${(size.top + bottom) / 2}) rotate(-90)" text-anchor="middle">${xmlText(yLabel)}</text>`,
    ...lines.flatMap(({ name, points }, i) => {
      const stroke = `stroke="${colors[i % colors.length]!}" stroke-dasharray="${dashes[Math.floor(i / colors.length) % dashes.length]!}"`
      const level = size.top + 14 + 22 * i
      const path = thinned(points, maxPoints).map(([px, py]) => `${x.at(px)},${y.at(py)}`)
      return [
        `<polyline fill="none" ${stroke} stroke-width="1.8" points="${path.join(' ')}"/>`,
        `<line x1="${right + 14}" x2="${right + 34}" y1="${level - 4}" y2="${level - 4}" ${stroke} stroke-width="3"/>`,
        `<text x="${right + 40}" y="${level}">${xmlText(name)}</text>`,
      ]
    }),
  ]
  return documentOf(title, Math.max(size.height, size.top + 22 * lines.length + 20), parts)
}

/** Groups of horizontal bars from 0, each with its value; the names of the series on top, where a group has more than
 *  one. */
export function drawBars({ title, groups }: BarPlot): string {
  const series = [...new Set(groups.flatMap(({ bars }) => bars.map((bar) => bar.series)))]
  const hasLegend = series.length > 1
  const left = 24 + Math.max(...groups.map(({ label }) => label.length)) * characterWidth
  const room = width - left - 80
  const max = Math.max(...groups.flatMap(({ bars }) => bars.map(({ value }) => value)))
  const thickness = hasLegend ? 13 : 17
  const parts: string[] = []
  let top = 48
  if (hasLegend) {
    let at = left
    for (const [i, name] of series.entries()) {
      parts.push(
        `<rect x="${at.toFixed(1)}" y="${top - 6}" width="14" height="12" fill="${colors[i % colors.length]!}"/>`,
        `<text x="${(at + 20).toFixed(1)}" y="${top + 4}">${xmlText(name)}</text>`,
      )
      at += 44 + name.length * characterWidth
    }
    top += 24
  }
  for (const { label, bars } of groups) {
    const middle = top + (bars.length * (thickness + 3)) / 2
    parts.push(
      `<text x="${(left - 10).toFixed(1)}" y="${(middle + 3).toFixed(1)}" text-anchor="end">${xmlText(label)}</text>`,
    )
    for (const { series: name, value } of bars) {
      const length = Math.max(1, (value / max) * room)
      parts.push(
        `<rect x="${left.toFixed(1)}" y="${top}" width="${length.toFixed(1)}" height="${thickness}" fill="${colors[series.indexOf(name) % colors.length]!}"/>`,
        `<text x="${(left + length + 6).toFixed(1)}" y="${top + thickness - 3}" font-size="12" fill="#444">${shortNumber(value)}</text>`,
      )
      top += thickness + 3
    }
    top += 9
  }
  return documentOf(title, top + 10, parts)
}

/** Points over seconds as points over percent of the last one's: curves of seconds and of minutes on one axis. */
export function inShareOfTime(points: Line['points']): Line['points'] {
  const end = points.at(-1)?.[0] ?? 1
  return points.map(([seconds, y]) => [100 * (seconds / end), y] as const)
}

/** At most `count` points, of each piece the one with the largest y: a peak stays. */
export function thinned(points: Line['points'], count: number): Line['points'] {
  if (points.length <= count) return points
  return Array.from({ length: count }, (_, i) => {
    const piece = points.slice(Math.floor((i * points.length) / count), Math.floor(((i + 1) * points.length) / count))
    return piece.reduce((highest, point) => (point[1] > highest[1] ? point : highest))
  })
}

function documentOf(title: string, height: number, parts: readonly string[]): string {
  const head = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif" font-size="13">`,
    '<rect width="100%" height="100%" fill="#fff"/>',
    `<text x="20" y="26" font-size="16" font-weight="600">${xmlText(title)}</text>`,
  ]
  return `${[...head, ...parts, '</svg>'].join('\n')}\n`
}

interface Axis {
  ticks: number[]
  /** Place of a value, in units of the drawing. */
  at(value: number): string
}

function axis(values: readonly number[], isLog: boolean, from: number, to: number): Axis {
  const max = Math.max(...values)
  if (!isLog) {
    const ticks = linearTicks(max)
    return { ticks, at: (value) => (from + (value / ticks.at(-1)!) * (to - from)).toFixed(1) }
  }
  const min = Math.min(...values.filter((value) => value > 0))
  const ticks = logTicks(min, max)
  const [low, high] = [Math.log10(ticks[0]!), Math.log10(ticks.at(-1)!)]
  const at = (value: number): string =>
    (from + ((Math.log10(Math.max(value, ticks[0]!)) - low) / (high - low)) * (to - from)).toFixed(1)
  return { ticks, at }
}

/** Round numbers from 0 to at least `max`, five or so. */
function linearTicks(max: number): number[] {
  const rough = Math.max(max, 1e-9) / 5
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough)!
  const count = Math.ceil(max / step)
  return Array.from({ length: count + 1 }, (_, i) => Number((i * step).toPrecision(6)))
}

/** 1, 2 and 5 times powers of ten, around `min` and `max`; at least two. */
function logTicks(min: number, max: number): number[] {
  const all: number[] = []
  for (let power = Math.floor(Math.log10(min)); power <= Math.ceil(Math.log10(max)); power++) {
    for (const factor of [1, 2, 5]) all.push(Number((factor * 10 ** power).toPrecision(6)))
  }
  const first = all.findLastIndex((tick) => tick <= min)
  const last = all.findIndex((tick) => tick >= max)
  return all.slice(Math.max(0, first), Math.max(last, first + 1) + 1)
}

function shortNumber(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)
}

function xmlText(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
}
