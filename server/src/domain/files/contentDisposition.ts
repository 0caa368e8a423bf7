/**
 * The value of a `content-disposition` header under which a browser saves or shows a file by its own name (RFC 6266).
 * Pure ASCII for any name: what ASCII or a quoted string cannot carry goes into `filename*` (RFC 8187), beside a
 * look-alike for clients that do not know it. Control characters and path separators become `_` in both, because the
 * client that takes a name for a path would write elsewhere.
 *
 * At most 2,560 bytes, so that the signed URL that carries it and the answer stay within the buffers of common proxies
 * (nginx: 8 kB for a request line, 4 kB for the headers of an answer). The look-alike is shortened first, then the name.
 * 255 characters of Chinese or Japanese fit; of 255 emoji about 200 do. The extension stays.
 */
export function contentDisposition(disposition: 'attachment' | 'inline', fileName: string): string {
  if (plainAscii.test(fileName)) return `${disposition}; filename="${fileName}"`
  const name = plainName(fileName)
  const lookAlike = asciiLookAlike(name)
  const start = `${disposition}; filename="${lookAlike}"`
  if (lookAlike === name) return start
  const extended = escapeExtended(name)
  if (start.length + extended.length <= headerBytes) return `${start}; filename*=UTF-8''${extended}`
  const short = `${disposition}; filename="${shorten(lookAlike, shortCharacters)}"; filename*=UTF-8''`
  return short + escapeExtended(fitting(name, headerBytes - short.length))
}

const headerBytes = 2_560
const shortCharacters = 64

/** As much of a name, extension included, as takes at most so many bytes when it is escaped. */
function fitting(name: string, bytes: number): string {
  const [stem, extension] = splitExtension(name)
  let left = bytes - escapeExtended(extension).length
  const cut = stem.findIndex((character) => (left -= escapeExtended(character).length) < 0)
  return stem.slice(0, cut === -1 ? stem.length : cut).join('') + extension
}

/** Takes characters out before the extension. */
function shorten(name: string, characters: number): string {
  const [stem, extension] = splitExtension(name)
  return stem.slice(0, characters - extension.length).join('') + extension
}

/** Whole characters before the extension, so that none is split. A long or spaced ending is not an extension. */
function splitExtension(name: string): [stem: string[], extension: string] {
  const extension = /[^.]\.([^. ]{1,16})$/u.exec(name)?.[1]
  if (extension === undefined) return [Array.from(name), '']
  return [Array.from(name.slice(0, -extension.length - 1)), `.${extension}`]
}

/** What most names are made of: all that a quoted string can carry as it is. */
const plainAscii = /^[ !#$&-.0-[\]-~]+$/

function plainName(fileName: string): string {
  const name = fileName.replace(/\p{Surrogate}/gu, '\u{FFFD}').replace(/[\p{Cc}/\\]/gu, '_')
  return name === '' ? 'download' : name
}

/** Accents are dropped; quotes would end the string, and some clients decode a percent sign. */
function asciiLookAlike(name: string): string {
  return Array.from(name, withoutAccent)
    .join('')
    .replace(/["%\\/]/g, '_')
}

function withoutAccent(character: string): string {
  const base = character.normalize('NFD').replace(/\p{M}/gu, '')
  return /^[\x20-\x7e]$/.test(base) ? base : '_'
}

/** RFC 8187 leaves fewer characters unescaped than `encodeURIComponent` does. */
function escapeExtended(text: string): string {
  return encodeURIComponent(text).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
}
