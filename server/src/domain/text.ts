import { Invalid } from './refusals.ts'

/** Unicode code points, as Postgres counts characters: an emoji is one or more, and never half of one. */
export const characterCount = (text: string): number => Array.from(text).length

/**
 * Control characters, line and paragraph separators, and the characters that change the direction of text
 * (https://www.unicode.org/reports/tr9/#Explicit_Directional_Embeddings): shown to people, they make a text look like
 * another one. The check constraints of `attachments` and the functions of the schema `filegraph` hold the same class.
 */
const unsafe = /[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/u

/** Whether a text can be shown as it is. Lone surrogates cannot: Postgres does not store them. */
export const isPlainText = (text: string): boolean => text.isWellFormed() && !unsafe.test(text)

/** The text without the characters that cannot be shown, for what is written down and cannot be refused. */
export const withoutUnsafe = (text: string): string => text.toWellFormed().replaceAll(new RegExp(unsafe, 'gu'), '')

/** Control characters, and those that turn the direction of text and so make it look like something else. */
const unsafeCharacters = /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029]|\p{Cs}/u

/** A name that people gave, trimmed and in NFC. Rejects with `Invalid` for `field`. */
export function acceptName(field: string, text: string, maxLength: number): string {
  const name = text.normalize('NFC').trim()
  if (name === '') throw new Invalid(field, 'Please give a name.')
  if (name.length > maxLength) throw new Invalid(field, `The name may have at most ${maxLength} characters.`, maxLength)
  if (unsafeCharacters.test(name)) throw new Invalid(field, 'The name contains characters that cannot be shown.')
  return name
}

/** A name that a token asserts: shown, never refused. Null when nothing of it can be shown. */
export function showableName(text: string, maxLength: number): string | null {
  const shown = text.normalize('NFC').replace(new RegExp(unsafeCharacters, 'gu'), '').trim()
  return shown === '' ? null : Array.from(shown).slice(0, maxLength).join('')
}

export const isShowable = (text: string): boolean => !unsafeCharacters.test(text)
