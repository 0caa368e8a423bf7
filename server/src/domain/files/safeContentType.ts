import { formatMediaType, parseMediaType, unknownType } from '../mediaTypes/mediaType.ts'
import { canonicalType } from '../mediaTypes/synonyms.ts'

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
