import { uiLocale } from './locale.ts'

const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte', 'petabyte'] as const

/** "412 bytes", "1.4 MB": powers of 1000, as file managers and the quota count them. */
export function formatBytes(bytes: number): string {
  const step = bytes < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3))
  const value = bytes / 1000 ** step
  // 999,950 bytes would read "1,000 kB".
  if (step < units.length - 1 && step > 0 && Number(value.toPrecision(3)) >= 1000) return formatIn(1, step + 1)
  return formatIn(value, step)
}

function formatIn(value: number, step: number): string {
  return formatOf(units[step] ?? 'byte', value < 10 && step > 0 ? 1 : 0).format(value)
}

const formats = new Map<string, Intl.NumberFormat>()

/** Formats are cached. Creating one takes longer than rendering a row. */
function formatOf(unit: (typeof units)[number], maximumFractionDigits: number): Intl.NumberFormat {
  const key = `${unit} ${maximumFractionDigits}`
  const unitDisplay = unit === 'byte' ? 'long' : 'short'
  const format =
    formats.get(key) ??
    new Intl.NumberFormat(uiLocale.formats, { style: 'unit', unit, unitDisplay, maximumFractionDigits })
  formats.set(key, format)
  return format
}

const counts = new Intl.NumberFormat(uiLocale.formats)

/** "1,234", or "12,34,567" in India. */
export const formatCount = (value: number): string => counts.format(value)
