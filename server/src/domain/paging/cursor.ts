import { z } from 'zod'
import { parseJson } from '../json.ts'

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
  const [name, ...values] = parseJson(place, Buffer.from(text, 'base64url').toString('utf8')) ?? []
  if (name !== list || values.length !== kinds.length) return null
  return kinds.every((kind, at) => sortValues[kind].safeParse(values[at]).success) ? values : null
}

const place = z.tuple([z.string()], z.union([z.string(), z.number()]))

/** From year 1 on: Postgres knows no year 0. */
const isoTime = /^(?!0000)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

const sortValues: Record<SortKind, z.ZodType<SortValue>> = {
  // Through Date and back, because 2026-02-31 has the right shape and Postgres refuses it.
  time: z.string().refine((text) => isoTime.test(text) && isSameTime(text)),
  uuid: z.string().regex(uuid),
  // As long as `principals.search_text` can be. Postgres refuses NUL.
  text: z.string().refine((text) => Array.from(text).length <= 600 && !text.includes('\0')),
  int: z.int32(),
}

const isSameTime = (text: string): boolean => !Number.isNaN(Date.parse(text)) && new Date(text).toISOString() === text
