import type { z } from 'zod'
import { Invalid } from './refusals.ts'

/** The number of Unicode code points, as Postgres counts characters. A surrogate pair counts as one. */
export const characterCount = (text: string): number => Array.from(text).length

/**
 * Control characters, line and paragraph separators, and characters that change the text direction
 * (https://www.unicode.org/reports/tr9/#Explicit_Directional_Embeddings). They can make a text look like another one.
 * The check constraints of `attachments` and the functions of the schema `filegraph` refuse the same class.
 */
const unsafe = /[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/u

/** True if a text can be displayed. Postgres cannot store lone surrogates. */
export const isPlainText = (text: string): boolean => text.isWellFormed() && !unsafe.test(text)

/** Removes the characters that cannot be displayed, for text that must be recorded. */
export const withoutUnsafe = (text: string): string => text.toWellFormed().replaceAll(new RegExp(unsafe, 'gu'), '')

/** Control characters and characters that change the text direction, which can make a name look like another one. */
const unsafeCharacters = /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029]|\p{Cs}/u

/** Returns a name trimmed and in NFC. Throws `Invalid` for `field`. */
export function acceptName(field: string, text: string, maxLength: number): string {
  const name = text.normalize('NFC').trim()
  if (name === '') throw new Invalid(field, 'Please give a name.')
  if (name.length > maxLength) throw new Invalid(field, `The name may have at most ${maxLength} characters.`, maxLength)
  if (unsafeCharacters.test(name)) throw new Invalid(field, 'The name contains characters that cannot be shown.')
  return name
}

/** Returns the displayable part of a name in a token, which is never refused. Null if nothing is left. */
export function showableName(text: string, maxLength: number): string | null {
  const shown = text.normalize('NFC').replace(new RegExp(unsafeCharacters, 'gu'), '').trim()
  return shown === '' ? null : Array.from(shown).slice(0, maxLength).join('')
}

export const isShowable = (text: string): boolean => !unsafeCharacters.test(text)

/** Parses JSON from outside. Returns null if the text is not JSON or does not match the schema. */
export function parseJson<T>(schema: z.ZodType<T>, text: string): T | null {
  try {
    const read = schema.safeParse(JSON.parse(text))
    return read.success ? read.data : null
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}
