import { Invalid } from '../../refusals.ts'
import { emailMaxLength } from '../limits.ts'

/** One spelling per mailbox: trimmed and in lower case. */
export const normalizeEmail = (text: string): string => text.normalize('NFC').trim().toLowerCase()

/** True if a normalised text has the form of an e-mail address. Whether it receives mail is not checked. */
export const isEmail = (text: string): boolean =>
  text.length <= emailMaxLength && /^[^\s@\p{Cc}\p{Cs}]+@[^\s@\p{Cc}\p{Cs}]+$/u.test(text)

export function acceptEmail(text: string): string {
  const email = normalizeEmail(text)
  if (email.length > emailMaxLength) {
    throw new Invalid('email', `An e-mail address may have at most ${emailMaxLength} characters.`, emailMaxLength)
  }
  if (!isEmail(email)) throw new Invalid('email', 'This is not an e-mail address.')
  return email
}
