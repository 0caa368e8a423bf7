import { formatMediaType, parseMediaType, unknownType } from '../mediaTypes/mediaType.ts'
import { canonicalType } from '../mediaTypes/synonyms.ts'

/**
 * The value of a `content-disposition` header with which a browser saves or shows a file under its own name (RFC 6266).
 * The value is pure ASCII. Names that need more go into `filename*` (RFC 8187), with an ASCII fallback for clients that
 * do not support it. Control characters and path separators become `_` in both, because a client that treats the name
 * as a path would write elsewhere.
 *
 * At most 2,560 bytes, so that the signed URL and the response fit into the buffers of common proxies (nginx: 8 kB for
 * a request line, 4 kB for response headers). The fallback is shortened first, then the name. 255 Chinese or Japanese
 * characters fit, and about 200 of 255 emoji. The extension is kept.
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

/** Shortens a name, with its extension, to a maximum number of escaped bytes. */
function fitting(name: string, bytes: number): string {
  const [stem, extension] = splitExtension(name)
  let left = bytes - escapeExtended(extension).length
  const cut = stem.findIndex((character) => (left -= escapeExtended(character).length) < 0)
  return stem.slice(0, cut === -1 ? stem.length : cut).join('') + extension
}

/** Removes characters before the extension. */
function shorten(name: string, characters: number): string {
  const [stem, extension] = splitExtension(name)
  return stem.slice(0, characters - extension.length).join('') + extension
}

/**
 * Splits the stem into whole characters, so that a cut splits none. A long ending or one with spaces is not an
 * extension.
 */
function splitExtension(name: string): [stem: string[], extension: string] {
  const extension = /[^.]\.([^. ]{1,16})$/u.exec(name)?.[1]
  if (extension === undefined) return [Array.from(name), '']
  return [Array.from(name.slice(0, -extension.length - 1)), `.${extension}`]
}

/** Characters that a quoted string can contain without escaping. Most names have no others. */
const plainAscii = /^[ !#$&-.0-[\]-~]+$/

function plainName(fileName: string): string {
  const name = fileName.replace(/\p{Surrogate}/gu, '\u{FFFD}').replace(/[\p{Cc}/\\]/gu, '_')
  return name === '' ? 'download' : name
}

/** Drops accents and replaces quotes, which would end the string, and percent signs, which some clients decode. */
function asciiLookAlike(name: string): string {
  return Array.from(name, withoutAccent)
    .join('')
    .replace(/["%\\/]/g, '_')
}

function withoutAccent(character: string): string {
  const base = character.normalize('NFD').replace(/\p{M}/gu, '')
  return /^[\x20-\x7e]$/.test(base) ? base : '_'
}

/** RFC 8187 leaves fewer characters unescaped than `encodeURIComponent`. */
function escapeExtended(text: string): string {
  return encodeURIComponent(text).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
}

/**
 * Stored names and synonyms of types that a browser or its plug-ins run, or render as a page that can contain script.
 */
const active = new Set([
  'application/ecmascript',
  'application/hta',
  'application/javascript',
  'application/vnd.adobe.flash.movie',
  'application/wasm',
  'application/x-chrome-extension',
  'application/x-ecmascript',
  'application/x-google-chrome-extension',
  'application/x-httpd-php',
  'application/x-java-applet',
  'application/x-javascript',
  'application/x-mimearchive',
  'application/x-shockwave-flash',
  'application/x-silverlight-app',
  'application/x-xpinstall',
  'application/xhtml',
  'application/xml',
  'application/xml-dtd',
  'application/xslt',
  'text/cache-manifest',
  'text/css',
  'text/ecmascript',
  'text/html',
  'text/javascript',
  'text/jscript',
  'text/livescript',
  'text/vbscript',
  'text/x-component',
  'text/x-ecmascript',
  'text/x-javascript',
  'text/xml',
  'text/xsl',
])

const inlineImages = new Set([
  'image/apng',
  'image/avif',
  'image/bmp',
  'image/gif',
  'image/heic',
  'image/heif',
  'image/jpeg',
  'image/jxl',
  'image/png',
  'image/tiff',
  'image/vnd.microsoft.icon',
  'image/webp',
])

/** Labels of encodings in which a reader can see other characters than ASCII suggests, or of no fixed encoding. */
const deceptiveCharsets =
  /^(utf-?7|unicode-?1-1-utf-7|iso-?2022|csiso2022|hz|x-user-defined|replacement|utf-?32|ucs-?4|scsu|bocu)/

const harmless = { contentType: unknownType, inlineAllowed: false }

/**
 * The media type with which a file is served, and whether a browser may show it inline. Types that could run script on
 * the bucket's origin, and unknown types, are replaced and always served as attachments. PDF may be shown, because
 * browsers render it apart from the origin. Text is served in its declared charset, by default UTF-8. It is an
 * attachment if browsers do not support the charset or if the charset can hide markup.
 */
export function servedContentType(contentType: string): { contentType: string; inlineAllowed: boolean } {
  const type = parseMediaType(contentType)
  if (!type) return harmless
  const essence = canonicalType(type.essence)
  if (isActive(type.essence) || isActive(essence)) return harmless
  const isReadable = type.charset === null || isKnownCharset(type.charset)
  const charset = isReadable ? (type.charset ?? (essence === 'text/plain' ? 'utf-8' : null)) : null
  return { contentType: formatMediaType({ ...type, essence, charset }), inlineAllowed: isReadable && isShown(essence) }
}

const isShown = (essence: string) =>
  essence === 'text/plain' ||
  essence === 'application/pdf' ||
  inlineImages.has(essence) ||
  /^(audio|video)\//.test(essence)

function isActive(essence: string): boolean {
  return active.has(essence) || /\+(xml|html)$|^(multipart|message)\//.test(essence)
}

/** The labels of the WHATWG Encoding Standard, which browsers and Node.js use. */
function isKnownCharset(label: string): boolean {
  if (deceptiveCharsets.test(label)) return false
  try {
    return new TextDecoder(label).encoding !== ''
  } catch {
    return false
  }
}
