import { limits } from '../limits.ts'
import { Invalid } from '../refusals.ts'
import { characterCount, isPlainText } from '../text.ts'

const something = /[^\p{Z}\p{C}]/u

/**
 * Returns a name in NFC, otherwise unchanged. Throws `Invalid` for characters that file systems or headers cannot
 * represent. At most 255 Unicode characters, so that every name that NTFS, APFS or ext4 allows is accepted.
 */
export function acceptFileName(text: string, field = 'name'): string {
  if (!text.isWellFormed()) throw new Invalid(field, 'The name is not valid Unicode text.')
  const name = text.normalize('NFC')
  if (!something.test(name)) throw new Invalid(field, 'The name is empty.')
  if (!isPlainText(name)) {
    throw new Invalid(field, 'The name contains control characters or characters that change the reading direction.')
  }
  if (/[/\\]/.test(name)) throw new Invalid(field, 'The name contains a slash or a backslash.')
  if (name === '.' || name === '..') throw new Invalid(field, 'This name has a special meaning in file systems.')
  if (characterCount(name) > limits.fileNameCharacters) {
    throw new Invalid(
      field,
      `The name may have at most ${limits.fileNameCharacters} characters.`,
      limits.fileNameCharacters,
    )
  }
  return name
}

/** The extension after the last dot if it is short and plain, otherwise `bin`. It becomes part of object keys. */
export function plainExtension(name: string): string {
  return /\.([A-Za-z0-9]{1,10})$/.exec(name)?.[1]?.toLowerCase() ?? 'bin'
}
