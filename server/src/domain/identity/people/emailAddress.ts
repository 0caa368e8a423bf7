import { Invalid } from '../../refusals.ts'
import { emailMaxLength } from '../limits.ts'

/** One spelling per mailbox: trimmed, lower case. */
export const normalizeEmail = (text: string): string => text.normalize('NFC').trim().toLowerCase()

/** Whether a normalised text could be an e-mail address at all; whether it receives mail is not ours to know. */
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
