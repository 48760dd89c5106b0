// The picture of the house (src/house.svg), drawn from the import lines: floors, rooms, and an arrow from each room to
// those that it imports from. Left out, since they would hide all others: arrows to the lowest floor, which every room
// may use, and arrows to where others lead as well. Pure.

import { floorOf, floors, imports, roomOf } from './imports.js'

/** Where rooms above the lowest floor stand, in columns: so that no arrow runs through a room. */
const columns: Readonly<Record<string, number>> = {
  cli: 3.2,
  index: 4.7,
  export: 1.5,
  verify: 3.4,
  source: 3,
  destination: 1.9,
  emulator: 5,
  options: 2.2,
  checkpoint: 3.9,
  readers: 3.1,
  transform: 0.4,
  http: 1.4,
  json: 2.4,
  encode: 3.7,
}
const [width, columnWidth, left, floorHeight, top] = [900, 140, 150, 74, 20]
const [boxWidth, boxHeight, smallWidth] = [108, 38, 66]
const about = ['nouns', 'stages', 'statements', 'what is told', 'ends', 'the run', 'library', 'program']

/** @throws Error where a room has no place in the picture */
export function drawHouse(): string {
  const uses = new Map(floors.flat().map((room) => [room, neighboursOf(room)]))
  const arrows = [...uses].flatMap(([room, targets]) => {
    const isDirect = (target: string) => ![...targets].some((other) => other !== target && reaches(other, target, uses))
    return [...targets].filter(isDirect).map((target) => arrow(room, target))
  })
  const height = yOf(0) + boxHeight + 20
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="14">`,
    '<title>The rooms of src, floor by floor, and what they import from</title>',
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">',
    '<path d="M0 0 8 4 0 8z" fill="#57606a"/></marker></defs>',
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    ...floors.map((_, floor) => band(floor)),
    '<g stroke="#57606a" stroke-width="1.3" marker-end="url(#tip)">',
    ...arrows,
    '</g>',
    ...floors.flatMap((rooms, floor) => rooms.map((room) => box(room, floor))),
    '</svg>',
  ].join('\n')}\n`
}

/** The rooms above the lowest floor that a room imports from. */
function neighboursOf(room: string): Set<string> {
  const targets = [...imports].filter(([file]) => roomOf(file) === room).flatMap(([, targets]) => targets.map(roomOf))
  return new Set(targets.filter((target) => target !== room && floorOf(target) > 0))
}

function reaches(from: string, to: string, uses: ReadonlyMap<string, ReadonlySet<string>>): boolean {
  const next = uses.get(from) ?? new Set()
  return next.has(to) || [...next].some((room) => reaches(room, to, uses))
}

function band(floor: number): string {
  const y = yOf(floor) - 14
  const shade = floor % 2 === 0 ? '#f6f8fa' : '#fff'
  return [
    `<rect y="${y}" width="${width}" height="${floorHeight}" fill="${shade}"/>`,
    `<text x="14" y="${y + 38}" fill="#57606a" font-size="13">${floor} ${about[floor] ?? ''}</text>`,
  ].join('')
}

function box(room: string, floor: number): string {
  const wide = floor === 0 ? smallWidth : boxWidth
  const [x, y] = [xOf(room) - wide / 2, yOf(floor)]
  return [
    `<rect x="${x}" y="${y}" width="${wide}" height="${boxHeight}" rx="5" fill="#ddf4ff" stroke="#0969da"/>`,
    `<text x="${xOf(room)}" y="${y + 24}" text-anchor="middle">${room}</text>`,
  ].join('')
}

/** From the lower edge of a room to the upper one of another. */
function arrow(from: string, to: string): string {
  const [y1, y2] = [yOf(floorOf(from)) + boxHeight, yOf(floorOf(to))]
  return `<line x1="${xOf(from)}" y1="${y1}" x2="${xOf(to)}" y2="${y2 - 1}"/>`
}

function xOf(room: string): number {
  const place = floors[0]!.indexOf(room)
  if (place >= 0) return left + (place + 0.5) * ((width - left - 10) / floors[0]!.length)
  const column = columns[room]
  if (column === undefined) throw new Error(`${room} has no column in the picture of the house`)
  return Math.round(left + 20 + column * columnWidth * 0.93)
}

function yOf(floor: number): number {
  return top + (floors.length - 1 - floor) * floorHeight
}
