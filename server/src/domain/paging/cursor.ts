import { z } from 'zod'
import { parseJson } from '../text.ts'

/**
 * A position in a sorted list: the name of the list and the sort values. Encoded as base64url JSON. A cursor that does
 * not decode to a position in the requested list is ignored, and the page starts at the beginning. It is never an
 * error, because clients can hold cursors of an older release.
 */
export type SortValue = string | number

/** The format of each sort value of a list. */
export type SortKind = 'time' | 'uuid' | 'int' | 'text'

export const encodeCursor = (list: string, values: readonly SortValue[]): string =>
  Buffer.from(JSON.stringify([list, ...values])).toString('base64url')

/** Enough for the longest sort text, at four bytes per character. */
const longestCursor = 4_000

/** The sort values of a cursor of `list`, or null for any other text. */
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

/** From year 1, because Postgres has no year 0. */
const isoTime = /^(?!0000)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

const sortValues: Record<SortKind, z.ZodType<SortValue>> = {
  // Converted to Date and back, because 2026-02-31 has the right format but Postgres refuses it.
  time: z.string().refine((text) => isoTime.test(text) && isSameTime(text)),
  uuid: z.string().regex(uuid),
  // The maximum length of `principals.search_text`. Postgres refuses NUL.
  text: z.string().refine((text) => Array.from(text).length <= 600 && !text.includes('\0')),
  int: z.int32(),
}

const isSameTime = (text: string): boolean => !Number.isNaN(Date.parse(text)) && new Date(text).toISOString() === text
