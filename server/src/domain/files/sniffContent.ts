import { fileTypeFromBuffer } from 'file-type'
import * as signature from './contentSignatures.ts'
import { essenceOf } from './contentType.ts'

/** Media types whose files show one of these signatures, always. What is absent here may show anything. */
const provable: readonly { readonly types: RegExp; readonly shows: readonly signature.Signature[] }[] = [
  { types: /^image\/(a?png|x-png|vnd\.mozilla\.apng)$/, shows: [signature.isPng] },
  { types: /^image\/(jpe?g|pjpeg)$/, shows: [signature.isJpeg] },
  { types: /^image\/gif$/, shows: [signature.isGif] },
  { types: /^image\/webp$/, shows: [signature.isWebp] },
  { types: /^image\/(avif|hei[cf])(-sequence)?$/, shows: [signature.isStillImage] },
  { types: /^application\/(x-)?pdf$/, shows: [signature.isPdf] },
  { types: /^application\/(x-)?zip(-compressed)?$|\+zip$/, shows: [signature.isZip, signature.isScriptStart] },
  { types: /^application\/(java-archive|x-java-archive)$/, shows: [signature.isZip, signature.isScriptStart] },
  { types: /^application\/vnd\.android\.package-archive$/, shows: [signature.isZip] },
  { types: /^application\/vnd\.oasis\.opendocument\.(?!.*xml)/, shows: [signature.isZip] },
  { types: /^application\/vnd\.openxmlformats-/, shows: [signature.isZip, signature.isCompoundFile] },
  { types: /^application\/vnd\.ms-.*\.macroenabled\.12$/, shows: [signature.isZip, signature.isCompoundFile] },
  { types: /^application\/(x-)?gzip$/, shows: [signature.isGzip] },
  { types: /^(video\/(mp4|quicktime|x-m4v)|audio\/(mp4|x-m4a))$/, shows: [signature.isMovie] },
  { types: /^(video|audio)\/(webm|x-matroska|matroska)$/, shows: [signature.isMatroska] },
  { types: /^audio\/(x-|vnd\.)?wave?$/, shows: [signature.isWave] },
  { types: /^((audio|video|application)\/ogg|audio\/opus)$/, shows: [signature.isOgg] },
  { types: /^audio\/(x-)?flac$/, shows: [signature.isFlac] },
  { types: /^(font\/woff|application\/font-woff)$/, shows: [signature.isWoff] },
  { types: /^(font\/woff2|application\/font-woff2)$/, shows: [signature.isWoff2] },
]

/** Formats that no text starts like, even where the first bytes hold no NUL. */
const neverText: readonly signature.Signature[] = [
  (bytes) => signature.isPdf(bytes.subarray(0, 5)),
  signature.isPng,
  signature.isJpeg,
  signature.isZip,
  signature.isCompoundFile,
]

const textTypes = new RegExp(
  String.raw`^text/|[/+](json|xml|yaml)$|^application/((x-)?(javascript|ecmascript|ndjson|yaml|toml|sh|csh|sql|tex)|graphql|rtf|json-seq|x-httpd-php)$`,
)

const executableTypes: Readonly<Record<signature.Executable, RegExp>> = {
  'a Windows executable':
    /^application\/(x-msdownload|x-msdos-program|x-ms-dos-executable|x-dosexec|vnd\.microsoft\.portable-executable|(x-)?exe|x-winexe|x-executable)$/,
  'a Linux executable':
    /^application\/(x-elf|x-executable|x-pie-executable|x-sharedlib|x-object|x-core(dump)?|vnd\.appimage|x-iso9660-appimage)$/,
  'a macOS executable': /^application\/(x-mach-binary|x-mach-o(-.*)?|x-executable)$/,
}

/**
 * The media type that the first bytes show, or null when they show none that can be trusted. Text has none. The first
 * 4,100 bytes are enough for nearly all formats.
 */
export async function detectContent(firstBytes: Uint8Array): Promise<string | null> {
  // Two or three letters are the whole signature of several formats; a text may well start with them.
  const isText = signature.readsAsText(firstBytes) && !neverText.some((shows) => shows(firstBytes))
  if (isText) return null
  // Crafted bytes must not fail the caller: what the detector cannot read, it has not detected.
  const detected = await fileTypeFromBuffer(firstBytes).catch(() => undefined)
  return detected?.mime ?? null
}

/**
 * Null when a file that starts with these bytes can be of the declared type; otherwise one sentence for people on why
 * it cannot. In doubt the declaration stands: an honest file is never refused.
 */
export async function contradiction(declared: string, firstBytes: Uint8Array): Promise<string | null> {
  const type = essenceOf(declared)
  if (firstBytes.length === 0 || type === 'application/octet-stream') return null
  const program = signature.executableKind(firstBytes)
  if (program !== null) return executableTypes[program].test(type) ? null : `The content is ${program}, not ${type}.`
  if (textTypes.test(type)) return contradictsText(type, firstBytes)
  const required = provable.find(({ types }) => types.test(type))
  if (required) {
    const isShown = required.shows.some((shows) => shows(firstBytes))
    return isShown ? null : `The content is ${await nameContent(firstBytes)}, not ${type}.`
  }
  return contradictsMedia(type, firstBytes)
}

async function contradictsText(type: string, bytes: Uint8Array): Promise<string | null> {
  // A compressed drawing (.svgz) goes by the same type as a plain one.
  if (signature.isGzip(bytes)) return type === 'image/svg+xml' ? null : `The content is gzip data, not ${type}.`
  const isForeign = signature.isBinary(bytes) || neverText.some((shows) => shows(bytes))
  return isForeign ? `The content is ${await nameContent(bytes)}, not ${type}.` : null
}

/** Pictures and sound of formats without a sure signature. TypeScript sources go by the type of MPEG streams, `.ts`. */
function contradictsMedia(type: string, bytes: Uint8Array): string | null {
  if (!/^(image|audio|video)\//.test(type)) return null
  if (signature.isHtml(bytes)) return `The content is a web page, not ${type}.`
  if (signature.isScriptStart(bytes) && type !== 'video/mp2t') return `The content is a script, not ${type}.`
  return null
}

async function nameContent(bytes: Uint8Array): Promise<string> {
  if (signature.isHtml(bytes)) return 'a web page'
  if (signature.isScriptStart(bytes)) return 'a script'
  const detected = await detectContent(bytes)
  if (detected !== null) return detected
  return signature.readsAsText(bytes) ? 'text' : 'of another format'
}
