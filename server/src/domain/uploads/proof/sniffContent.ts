import { supportedMimeTypes } from 'file-type'
import { essenceOf, formatMediaType, unknownType } from '../../mediaTypes/mediaType.ts'
import { canonicalType } from '../../mediaTypes/synonyms.ts'
import { extensionOf, meantType, typeOfName } from '../../mediaTypes/typeOfName.ts'
import { certainType, readsAsText } from './contentSignatures.ts'

/** The decision about the media type. */
export interface ContentDecision {
  /** The media type of the file. */
  readonly contentType: string
  /** Why the file is refused, in a sentence for people. Null if it is accepted. */
  readonly refusal: string | null
}

/** The declaration, and the first 4,100 bytes of the upload. */
export interface Examined {
  readonly name: string
  readonly contentType: string
  readonly start: Uint8Array
}

/**
 * Decides the media type of a file. Refuses only if the bytes certainly are one binary format and the declared type
 * certainly is another. Otherwise a declared type is a guess from an extension, which applies until the bytes prove
 * another type.
 */
export async function decideContentType({ name, contentType, start }: Examined): Promise<ContentDecision> {
  const declared = meantType(name, contentType)
  const proved = await certainType(start)
  const keep = (type: string): ContentDecision => ({ contentType: type, refusal: null })
  if (declared.essence === unknownType) return keep(proved ?? guessedType(name, start))
  const asDeclared = keep(formatMediaType(declared))
  if (proved === null) return isTypeScript(name, declared.essence, start) ? keep(typeScript) : asDeclared
  if (canShow(declared.essence, proved)) return asDeclared
  if (yields(name, declared.essence, proved)) return keep(proved)
  return { contentType: proved, refusal: `The content is ${nameType(proved)}, not ${declared.essence}.` }
}

const typeScript = 'text/x-typescript'

/** Browsers declare TypeScript sources, `.ts` and `.mts`, as MPEG streams. */
const isTypeScript = (name: string, declared: string, start: Uint8Array) =>
  declared === 'video/mp2t' && start.length > 0 && readsAsText(start) && /^[mc]?tsx?$/.test(extensionOf(name))

/** The type of the extension, if nothing was declared or proved. It must not call binary data text, or the reverse. */
function guessedType(name: string, start: Uint8Array): string {
  const guess = typeOfName(name)
  if (guess === null || start.length === 0) return guess ?? unknownType
  if (isTypeScript(name, guess, start)) return typeScript
  const isPossible = readsAsText(start) ? !isBinaryFormat(guess) : !isTextType(guess)
  return isPossible ? guess : unknownType
}

/** Types whose files are text. Browsers and servers derive them from the extension alone. */
const textTypes = new RegExp(
  String.raw`^text/|^message/|[/+](json|xml|yaml|toml)$|^application/(rtf|sql|graphql|postscript|json-seq|pgp-encrypted|` +
    String.raw`x-(ndjson|sh|csh|bat|tex|httpd-php|subrip|perl|ruby|tcl|lua|ms-regedit)|vnd\.apple\.mpegurl)$`,
)
const isTextType = (type: string) => textTypes.test(type)

/** Types that `.ts` and `.dmg` files have, and unrelated files too. */
const saysLittle = new Set(['application/x-apple-diskimage', 'application/x-cfb', 'model/stl', 'video/mp2t'])

/** Binary formats that the library can detect. */
const binaryFormats = new Set(
  [...supportedMimeTypes]
    .map((type) => canonicalType(essenceOf(type)))
    .filter((type) => !isTextType(type) && !saysLittle.has(type)),
)
const isBinaryFormat = (type: string) => binaryFormats.has(type)

const families: readonly RegExp[] = [
  /^image\//,
  /^(audio|video)\/|^application\/(ogg|mp4|mxf|vnd\.ms-asf|vnd\.rn-realmedia)$/,
  /^font\/|^application\/vnd\.ms-fontobject$/,
  /^application\/(zip|gzip|zstd|vnd\.rar|vnd\.ms-cab-compressed|vnd\.debian\.binary-package|x-(tar|7z-compressed|bzip2|xz|lz4|lzip|compress|lzh-compressed|ace-compressed|arj|cpio|rpm|unix-archive))$/,
  /^application\/(vnd\.openxmlformats-officedocument\.|vnd\.oasis\.opendocument\.|vnd\.ms-.*\.macroenabled\.12$|epub\+zip$|vnd\.visio$)/,
]

/** True if the proved type replaces the declared one. Otherwise the declaration is false. */
function yields(name: string, declared: string, proved: string): boolean {
  const isGuess = !isBinaryFormat(declared)
  return isGuess || families.some((family) => family.test(declared) && family.test(proved)) || isPacked(name, proved)
}

/** The MIME tables of Python and Apache call `report.pdf.gz` a PDF, because they treat compression separately. */
const isPacked = (name: string, proved: string) =>
  /^application\/(gzip|zstd|x-(bzip2|xz|lz4|lzip))$/.test(proved) &&
  (typeOfName(name) === proved || /^(svgz|emz|wmz|mcz)$/.test(extensionOf(name)))

const zipBased =
  /^application\/(zip|java-archive|x-xpinstall|vnd\.android\.package-archive|vnd\.visio|vnd\.openxmlformats-.*|vnd\.oasis\.opendocument\..*|vnd\.ms-.*\.macroenabled\.12)$|\+zip$|^model\/3mf$/
const programs = /^application\/(x-elf|x-mach-binary|vnd\.microsoft\.portable-executable|java-vm|wasm)$/
const movies = /^(video\/(mp4|quicktime|3gpp2?)|audio\/(mp4|3gpp2?)|application\/mp4)$/
const rawImages = /^image\/(tiff|x-canon-cr2|x-nikon-nef|x-sony-arw|x-adobe-dng)$/

/** Types that the bytes of a declared type can prove, because one format is built on the other. */
const mayShow: readonly (readonly [declared: RegExp, proved: RegExp])[] = [
  [zipBased, /^application\/zip$/],
  [/^application\/zip$/, zipBased],
  [
    /^application\/(java-archive|x-xpinstall|vnd\.android\.package-archive)$/,
    /^application\/(java-archive|x-xpinstall|vnd\.android\.package-archive)$/,
  ],
  // Older office formats, newer ones with a password, installers, mail.
  [
    /^application\/(vnd\.openxmlformats-|vnd\.ms-|vnd\.visio|vnd\.microsoft\.portable-executable|x-indesign)/,
    /^application\/x-cfb$/,
  ],
  [/^application\/vnd\.debian\.binary-package$/, /^application\/x-unix-archive$/],
  [movies, movies],
  [rawImages, rawImages],
  [/^image\/(hei[cf]|avif)(-sequence)?$/, /^image\/heif(-sequence)?$/],
  [/^image\/hei[cf](-sequence)?$/, /^image\/hei[cf](-sequence)?$/],
  [/^image\/a?png$/, /^image\/a?png$/],
  [/^image\/jp[2xm]$|^(image|video)\/mj2$/, /^image\/(jp[2xm]|mj2)$/],
  [/^image\/(mpo|x-mpo|x-jps)$/, /^image\/jpeg$/],
  [/^image\/x-fireworks$/, /^image\/png$/],
  [/^(audio|video|application)\/ogg$|^audio\/flac$/, /^(audio|video|application)\/ogg$/],
  [/^(audio|video)\/(webm|matroska(-3d)?)$/, /^video\/(webm|matroska)$/],
  [/^(audio|video)\/x-ms-|^application\/vnd\.ms-asf$/, /^(audio|video)\/x-ms-asf$|^application\/vnd\.ms-asf$/],
  // An MP3 tag can precede other audio formats.
  [/^(audio|video)\/|^application\/ogg$/, /^audio\/mpeg$/],
  [/^video\/mp2t$/, /^video\/mpeg$/],
  [
    /^application\/(x-executable|x-sharedlib|x-pie-executable|x-object|x-core(dump)?|vnd\.appimage|x-kernel.*)$/,
    programs,
  ],
  [/^application\/x-apple-diskimage$/, /^application\/(gzip|x-bzip2|x-xz|zip)$/],
]

/** Container formats. A declared type that the library does not know can be built on one of them. */
const containers =
  /^application\/(zip|gzip|zstd|x-(bzip2|xz|lz4|lzip|tar|cfb|unix-archive)|vnd\.sqlite3|ogg|vnd\.ms-asf|java-archive)$|^audio\/(mpeg|ogg|aiff)$|^video\/(mp4|quicktime|matroska|mp2t)$|^image\/tiff$/

function canShow(declared: string, proved: string): boolean {
  if (declared === proved) return true
  if (mayShow.some(([types, shown]) => types.test(declared) && shown.test(proved))) return true
  return !isTextType(declared) && !isBinaryFormat(declared) && !saysLittle.has(declared) && containers.test(proved)
}

const programNames: Readonly<Record<string, string>> = {
  'application/vnd.microsoft.portable-executable': 'a Windows executable',
  'application/x-elf': 'a Linux executable',
  'application/x-mach-binary': 'a macOS executable',
}
const nameType = (type: string) => programNames[type] ?? type
