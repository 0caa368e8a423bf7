import { Invalid } from '../refusals.ts'

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
