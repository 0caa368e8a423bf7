/**
 * The value of a `content-disposition` header under which a browser saves or shows a file by its own name (RFC 6266).
 * Pure ASCII for any name: what ASCII or a quoted string cannot carry goes into `filename*` (RFC 8187), beside a
 * look-alike for clients that do not know it. Control characters and path separators become `_` in both, because the
 * client that takes a name for a path would write elsewhere.
 */
export function contentDisposition(disposition: 'attachment' | 'inline', fileName: string): string {
  if (plainAscii.test(fileName)) return `${disposition}; filename="${fileName}"`
  const name = plainName(fileName)
  const lookAlike = asciiLookAlike(name)
  const start = `${disposition}; filename="${lookAlike}"`
  return lookAlike === name ? start : `${start}; filename*=UTF-8''${escapeExtended(name)}`
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
