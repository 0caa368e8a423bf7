/** RFC 6838 names, with anything as parameters. */
const mediaType = /^\s*([a-z0-9][a-z0-9!#$&^_.+-]{0,126}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,126})\s*(;.*)?$/is

/** What a browser or a plug-in of it would run, or render as a page that can hold script. */
const active = new Set([
  'application/ecmascript',
  'application/hta',
  'application/javascript',
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
  'image/jpg',
  'image/jxl',
  'image/png',
  'image/tiff',
  'image/vnd.microsoft.icon',
  'image/webp',
  'image/x-icon',
])

const harmless = { contentType: 'application/octet-stream', inlineAllowed: false }

/**
 * Under which type a file's bytes are served, and whether a browser may show them in place. What could run script on
 * the bucket's origin never keeps its type and is always an attachment, and so is what no list here knows. PDF may be
 * shown: browsers render it apart from the origin. Parameters are dropped; plain text is declared as UTF-8.
 */
export function servedContentType(contentType: string): { contentType: string; inlineAllowed: boolean } {
  const name = mediaType.exec(contentType)?.[1]?.toLowerCase()
  if (name === undefined || isActive(name)) return harmless
  if (name === 'text/plain') return { contentType: 'text/plain; charset=utf-8', inlineAllowed: true }
  const inlineAllowed = name === 'application/pdf' || inlineImages.has(name) || /^(audio|video)\//.test(name)
  return { contentType: name, inlineAllowed }
}

function isActive(name: string): boolean {
  return active.has(name) || /\+(xml|html)$|^(multipart|message)\//.test(name) || /^text\/javascript\d/.test(name)
}
