/**
 * A place in an ordered list: which list, and the values that it is ordered by. Written as base64url JSON. What does not
 * decode to a place in the asked list is ignored, and the list starts at its beginning; it is never an error,
 * since a client may well hold a cursor of an older release.
 */
export type SortValue = string | number

/** What each of a list's sort values has to look like. */
export type SortKind = 'time' | 'uuid' | 'int' | 'text'

export const encodeCursor = (list: string, values: readonly SortValue[]): string =>
  Buffer.from(JSON.stringify([list, ...values])).toString('base64url')

/** Room for the longest text that a list is sorted by, at four bytes a character. */
const longestCursor = 4_000

/** The sort values of a cursor of `list`, or null for anything else. */
export function decodeCursor(
  list: string,
  kinds: readonly SortKind[],
  text: string | null | undefined,
): SortValue[] | null {
  if (!text || text.length > longestCursor || !/^[A-Za-z0-9_-]+$/.test(text)) return null
  const parsed = parseJson(Buffer.from(text, 'base64url').toString('utf8'))
  if (!Array.isArray(parsed) || parsed.length !== kinds.length + 1 || parsed[0] !== list) return null
  const values: unknown[] = parsed.slice(1)
  const valid = kinds.every((kind, at) => accepts[kind](values[at]))
  return valid ? (values as SortValue[]) : null
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** From year 1 on: Postgres knows no year 0. */
const isoTime = /^(?!0000)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

const accepts: Record<SortKind, (value: unknown) => boolean> = {
  // Through Date and back, because 2026-02-31 has the right shape and Postgres refuses it.
  time: (value) =>
    typeof value === 'string' &&
    isoTime.test(value) &&
    !Number.isNaN(Date.parse(value)) &&
    new Date(value).toISOString() === value,
  uuid: (value) => typeof value === 'string' && uuid.test(value),
  // As long as `principals.search_text` can be. Postgres refuses NUL.
  text: (value) => typeof value === 'string' && Array.from(value).length <= 600 && !value.includes('\0'),
  int: (value) => Number.isInteger(value) && Math.abs(value as number) <= 2_147_483_647,
}
