// Draws one plot with lines over an axis, as SVG text: enough for curves of memory over time. No library: a file that a browser and GitHub show.

export interface Line {
  name: string
  points: Array<[x: number, y: number]>
}

export interface Plot {
  title: string
  xLabel: string
  yLabel: string
  lines: Line[]
}

const colors = ['#0b6bcb', '#c2410c', '#15803d', '#7e22ce', '#b91c1c', '#525252']
const size = { width: 860, height: 420, left: 70, right: 230, top: 48, bottom: 52 }

/** The plot as an SVG document. Both axes start at 0. */
export function drawLines({ title, xLabel, yLabel, lines }: Plot): string {
  const all = lines.flatMap((line) => line.points)
  const xTicks = ticks(Math.max(...all.map(([x]) => x)))
  const yTicks = ticks(Math.max(...all.map(([, y]) => y)))
  const innerWidth = size.width - size.left - size.right
  const innerHeight = size.height - size.top - size.bottom
  const px = (x: number): string => (size.left + (x / xTicks.at(-1)!) * innerWidth).toFixed(1)
  const py = (y: number): string => (size.top + innerHeight - (y / yTicks.at(-1)!) * innerHeight).toFixed(1)
  const right = size.left + innerWidth
  const bottom = size.top + innerHeight
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${size.height}" font-family="system-ui, sans-serif" font-size="13">`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    `<text x="${size.left}" y="26" font-size="16" font-weight="600">${xmlText(title)}</text>`,
    ...xTicks.map((x) => `<text x="${px(x)}" y="${bottom + 20}" text-anchor="middle" fill="#444">${x}</text>`),
    ...yTicks.flatMap((y) => [
      `<line x1="${size.left}" x2="${right}" y1="${py(y)}" y2="${py(y)}" stroke="#ddd"/>`,
      `<text x="${size.left - 8}" y="${Number(py(y)) + 4}" text-anchor="end" fill="#444">${y}</text>`,
    ]),
    `<text x="${(size.left + right) / 2}" y="${size.height - 12}" text-anchor="middle">${xmlText(xLabel)}</text>`,
    `<text transform="translate(18 ${(size.top + bottom) / 2}) rotate(-90)" text-anchor="middle">${xmlText(yLabel)}</text>`,
    ...lines.flatMap(({ name, points }, i) => {
      const color = colors[i % colors.length]!
      const y = size.top + 14 + 22 * i
      return [
        `<polyline fill="none" stroke="${color}" stroke-width="1.8" points="${points.map(([x, v]) => `${px(x)},${py(v)}`).join(' ')}"/>`,
        `<line x1="${right + 14}" x2="${right + 34}" y1="${y - 4}" y2="${y - 4}" stroke="${color}" stroke-width="3"/>`,
        `<text x="${right + 40}" y="${y}">${xmlText(name)}</text>`,
      ]
    }),
    '</svg>',
  ]
  return `${parts.join('\n')}\n`
}

/** Round numbers from 0 to at least `max`, five or so. */
function ticks(max: number): number[] {
  const rough = Math.max(max, 1e-9) / 5
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough)!
  const count = Math.ceil(max / step)
  return Array.from({ length: count + 1 }, (_, i) => Number((i * step).toPrecision(6)))
}

function xmlText(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
}
