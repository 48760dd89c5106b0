// Units of bytes and time, and how people write them.

export const KiB = 1024
export const MiB = 1024 * KiB
export const GiB = 1024 * MiB
export const second = 1000
export const minute = 60 * second

const byteUnits: Record<string, number> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  k: KiB,
  m: MiB,
  g: GiB,
  kib: KiB,
  mib: MiB,
  gib: GiB,
}
const timeUnits: Record<string, number> = { ms: 1, s: second, m: minute, min: minute, h: 60 * minute }

/** `"8MiB"`, `"64 kB"`, `"1000"` → bytes, or undefined where the text is no such quantity. */
export function parseBytes(text: string): number | undefined {
  return parseQuantity(text, byteUnits)
}

/** `"30s"`, `"250ms"`, `"10m"`, `"1h"` → ms, or undefined. A bare number has no unit and is refused, but for 0. */
export function parseDuration(text: string): number | undefined {
  return text.trim() === '0' ? 0 : parseQuantity(text, timeUnits)
}

function parseQuantity(text: string, units: Record<string, number>): number | undefined {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(text)
  if (!match) return undefined
  const unit = units[match[2]!.toLowerCase()]
  if (unit === undefined) return undefined
  const value = Number(match[1]) * unit
  return Number.isSafeInteger(Math.round(value)) ? Math.round(value) : undefined
}

/** Bytes for people, in binary units where they are exact: 262144 → `256KiB`. `parseBytes` reads it back. */
export function formatBytesExact(bytes: number): string {
  for (const [unit, size] of [
    ['GiB', GiB],
    ['MiB', MiB],
    ['KiB', KiB],
  ] as const) {
    if (bytes >= size && bytes % size === 0) return `${bytes / size}${unit}`
  }
  return `${bytes}`
}

/** Bytes for people, rounded: `12.3 MB`. Decimal units, as disks and networks count. */
export function formatBytes(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(2)} GB`
  if (bytes >= 1e6) return `${(bytes / 1e6).toFixed(1)} MB`
  if (bytes >= 1e3) return `${(bytes / 1e3).toFixed(1)} kB`
  return `${bytes} B`
}

/** A number for people, rounded: `1,234,567`. Not by `toLocaleString`, which has 6 MB of ICU's data read for it. */
export function formatCount(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** `1 record`, `1,200 records`. */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${formatCount(value)} ${value === 1 ? one : many}`
}

/** An age for people, to the minute or the hour: `59m`, `5h 40m`, `3d 4h`. */
export function formatAge(ms: number): string {
  const minutes = Math.round(ms / minute)
  const [hours, days] = [Math.floor(minutes / 60), Math.floor(minutes / 1440)]
  const parts =
    days > 1 ? [`${days}d`, `${hours % 24}h`] : hours > 0 ? [`${hours}h`, `${minutes % 60}m`] : [`${minutes}m`]
  return parts.filter((part, index) => index === 0 || !part.startsWith('0')).join(' ')
}

/** Milliseconds for people: `250ms`, `30s`, `15m`. `parseDuration` reads it back. */
export function formatDuration(ms: number): string {
  if (ms >= 60 * minute && ms % (60 * minute) === 0) return `${ms / (60 * minute)}h`
  if (ms >= minute && ms % minute === 0) return `${ms / minute}m`
  if (ms >= second) return `${Number((ms / second).toFixed(1))}s`
  return `${Math.round(ms)}ms`
}
