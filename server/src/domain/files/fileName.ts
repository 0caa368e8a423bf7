import { limits } from '../limits.ts'
import { Invalid } from '../refusals.ts'

/** Line breaks and other controls, and the characters that make text read in another order than it is stored. */
const forbidden = /[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/u
const something = /[^\p{Z}\p{C}]/u

/**
 * A name as people wrote it, in NFC. Refuses with `Invalid` what no file system or header could carry unharmed; the
 * bound is the one of the common file systems, 255 bytes of UTF-8.
 */
export function acceptFileName(text: string, field = 'name'): string {
  if (!text.isWellFormed()) throw new Invalid(field, 'The name is not valid Unicode text.')
  const name = text.normalize('NFC')
  if (!something.test(name)) throw new Invalid(field, 'The name is empty.')
  if (forbidden.test(name)) {
    throw new Invalid(field, 'The name contains control characters or characters that change the reading direction.')
  }
  if (/[/\\]/.test(name)) throw new Invalid(field, 'The name contains a slash or a backslash.')
  if (name === '.' || name === '..') throw new Invalid(field, 'This name has a special meaning in file systems.')
  if (Buffer.byteLength(name) > limits.fileNameBytes) {
    throw new Invalid(field, `The name may have at most ${limits.fileNameBytes} bytes of UTF-8.`, limits.fileNameBytes)
  }
  return name
}

/** What follows the last dot, where it is short and plain; `bin` otherwise. It ends up in object keys. */
export function plainExtension(name: string): string {
  return /\.([A-Za-z0-9]{1,10})$/.exec(name)?.[1]?.toLowerCase() ?? 'bin'
}
