import { formatMediaType, parseMediaType, unknownType } from '../mediaTypes/mediaType.ts'
import { canonicalType } from '../mediaTypes/synonyms.ts'

/** What a browser or one of its plug-ins runs, or renders as a page that can hold script. Stored names and synonyms. */
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

/** Labels that some reader takes for an encoding in which ASCII characters hide others, or that mean no fixed encoding. */
const deceptiveCharsets =
  /^(utf-?7|unicode-?1-1-utf-7|iso-?2022|csiso2022|hz|x-user-defined|replacement|utf-?32|ucs-?4|scsu|bocu)/

const harmless = { contentType: unknownType, inlineAllowed: false }

/**
 * Under which type a file's bytes are served, and whether a browser may show them in place. What could run script on the
 * bucket's origin never keeps its type and is always an attachment, and so is what no list here knows. Browsers render
 * PDF apart from the origin, so it may be shown. Text is served in its declared charset, by default UTF-8; in a charset
 * that browsers do not know, or that can hide markup, it is an attachment.
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

/** The labels of the WHATWG Encoding Standard, which browsers and Node.js share. */
function isKnownCharset(label: string): boolean {
  if (deceptiveCharsets.test(label)) return false
  try {
    return new TextDecoder(label).encoding !== ''
  } catch {
    return false
  }
}
