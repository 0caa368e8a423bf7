import { uiLocale } from './locale.ts'

const steps: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['minute', 60],
  ['hour', 3600],
  ['day', 86_400],
]

const relative = new Intl.RelativeTimeFormat(uiLocale.formats, { numeric: 'auto' })
const dayOf = new Intl.DateTimeFormat(uiLocale.formats, { day: 'numeric', month: 'short', year: 'numeric' })
const exact = new Intl.DateTimeFormat(uiLocale.formats, { dateStyle: 'full', timeStyle: 'medium' })

/** "just now", "5 minutes ago", "yesterday"; after a week, the date. */
export function relativeTime(at: string, now: number): string {
  const seconds = Math.round((Date.parse(at) - now) / 1000)
  const distance = Math.abs(seconds)
  if (distance < 45) return 'just now'
  if (distance > 7 * 86_400) return dayOf.format(Date.parse(at))
  const [unit, length] = steps.findLast(([, unitSeconds]) => distance >= unitSeconds) ?? (['minute', 60] as const)
  return relative.format(Math.trunc(seconds / length) || Math.sign(seconds), unit)
}

export const exactTime = (at: string): string => exact.format(Date.parse(at))

const tenths = new Intl.NumberFormat(uiLocale.formats, { minimumFractionDigits: 1, maximumFractionDigits: 1 })

/** "a moment", "0.3 s", "12 s", "3 min", "2 h 5 min". */
export function formatDuration(milliseconds: number): string {
  const seconds = milliseconds / 1000
  if (seconds < 0.05) return 'a moment'
  if (seconds < 10) return `${tenths.format(seconds)} s`
  if (seconds < 60) return `${Math.floor(seconds)} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** `YYYY-MM-DD`, from the year 1970 on. */
export function isDay(text: string): boolean {
  const parts = /^(19[7-9]\d|[2-9]\d{3})-(\d\d)-(\d\d)$/.exec(text)
  if (!parts) return false
  // 31 February becomes a day in March.
  const date = new Date(Date.UTC(Number(parts[1]), Number(parts[2]) - 1, Number(parts[3])))
  return date.toISOString().startsWith(text)
}

/** Midnight of a day in the reader's time zone, as the API expects it. Undefined if `day` is not a day. */
export function startOfDay(day: string | undefined, plusDays = 0): string | undefined {
  if (day === undefined || !isDay(day)) return undefined
  const [year = 0, month = 1, date = 1] = day.split('-').map(Number)
  return new Date(year, month - 1, date + plusDays).toISOString()
}

/** The day of a time in the reader's time zone, as `YYYY-MM-DD`. */
export function dayOfTime(at: string): string {
  const date = new Date(at)
  return [date.getFullYear(), date.getMonth() + 1, date.getDate()]
    .map((part) => String(part).padStart(2, '0'))
    .join('-')
}

/** Whole days until a time, rounded up. 0 if the time has passed. */
export const daysUntil = (at: string, now: number): number =>
  Math.max(0, Math.ceil((Date.parse(at) - now) / 86_400_000))

/** "Dec 21, 2026" or "21 Dec 2026", in the reader's time zone. */
export const dayAt = (at: string): string => dayOf.format(Date.parse(at))
