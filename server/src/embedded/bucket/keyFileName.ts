import { hash } from 'node:crypto'

/**
 * A key as its UTF-8 bytes, one character per byte. `<` then compares bytes, which is the order of S3. JavaScript
 * strings have another order: U+10000 sorts before U+FFFF.
 */
export type KeyBytes = string

export function keyBytes(key: string): KeyBytes {
  return Buffer.from(key, 'utf8').toString('latin1')
}

export function keyOfBytes(bytes: KeyBytes): string {
  return Buffer.from(bytes, 'latin1').toString('utf8')
}

/** A value greater than every key with `prefix`. UTF-8 has no byte 0xff. */
export function afterPrefix(prefix: KeyBytes): KeyBytes {
  return `${prefix}\xff`
}

const maxNameLength = 240
const startOfLongName = 160

/**
 * A file name consists of these characters and of `%` with two digits, so that it is unique on a case-insensitive file
 * system.
 */
const escapes = Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte)
  return /[a-z0-9._-]/.test(character) ? character : `%${byte.toString(16).padStart(2, '0')}`
})

/** Escapes bytes to a file name that is never empty, hidden, `.` or `..`, and contains no slash. */
export function escapeBytes(bytes: KeyBytes): string {
  let name = ''
  for (let index = 0; index < bytes.length; index++) name += escapes[bytes.charCodeAt(index)]
  return name.startsWith('.') ? `%2e${name.slice(1)}` : name
}

const unescapes = new Map(
  Array.from({ length: 256 }, (_, byte) => [byte.toString(16).padStart(2, '0'), String.fromCharCode(byte)]),
)

export function unescapeBytes(name: string): KeyBytes {
  const [start = '', ...escaped] = name.split('%')
  let bytes = start
  for (const piece of escaped) {
    const byte = unescapes.get(piece.slice(0, 2))
    if (byte === undefined) throw new Error(`The name ${name} in the folder of the bucket was not given by the bucket`)
    bytes += byte + piece.slice(2)
  }
  return bytes
}

/** The file name of an object. A key that is too long is represented by its start and its SHA-256. */
export function fileNameOf(bytes: KeyBytes): string {
  const name = escapeBytes(bytes)
  if (name.length <= maxNameLength) return name
  return `${name.slice(0, startOfLongName)}~${hash('sha256', Buffer.from(bytes, 'latin1'))}`
}

/** Null for a long key, which only the record in the file contains. */
export function bytesOfFileName(name: string): KeyBytes | null {
  return name.includes('~') ? null : unescapeBytes(name)
}
