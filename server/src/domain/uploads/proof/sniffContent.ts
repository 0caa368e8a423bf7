import { supportedMimeTypes } from 'file-type'
import { essenceOf, formatMediaType, unknownType } from '../../mediaTypes/mediaType.ts'
import { canonicalType } from '../../mediaTypes/synonyms.ts'
import { extensionOf, meantType, typeOfName } from '../../mediaTypes/typeOfName.ts'
import { certainType, readsAsText } from './contentSignatures.ts'

/** What the first bytes decide. */
export interface ContentDecision {
  /** Under which type the file is kept. */
  readonly contentType: string
  /** One sentence for people on why the file is refused, or null. */
  readonly refusal: string | null
}

/** What was declared, and the first 4,100 bytes of what arrived. */
export interface Examined {
  readonly name: string
  readonly contentType: string
  readonly start: Uint8Array
}

/**
 * Decides the type of a file. Refuses only if the bytes certainly are one binary format and the declared type certainly
 * is another one. A declared type is otherwise a guess from an extension: it stands until the bytes prove another.
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

/** Browsers take TypeScript sources, `.ts` and `.mts`, for MPEG streams. */
const isTypeScript = (name: string, declared: string, start: Uint8Array) =>
  declared === 'video/mp2t' && start.length > 0 && readsAsText(start) && /^[mc]?tsx?$/.test(extensionOf(name))

/** The type by the extension, where nothing was declared or proved. It must not say text of binary data, nor the reverse. */
function guessedType(name: string, start: Uint8Array): string {
  const guess = typeOfName(name)
  if (guess === null || start.length === 0) return guess ?? unknownType
  if (isTypeScript(name, guess, start)) return typeScript
  const isPossible = readsAsText(start) ? !isBinaryFormat(guess) : !isTextType(guess)
  return isPossible ? guess : unknownType
}

/** Types whose files are text. Browsers and servers give them by extension alone. */
const textTypes = new RegExp(
  String.raw`^text/|^message/|[/+](json|xml|yaml|toml)$|^application/(rtf|sql|graphql|postscript|json-seq|pgp-encrypted|` +
    String.raw`x-(ndjson|sh|csh|bat|tex|httpd-php|subrip|perl|ruby|tcl|lua|ms-regedit)|vnd\.apple\.mpegurl)$`,
)
const isTextType = (type: string) => textTypes.test(type)

/** `.ts` and `.dmg` go by these types, and so does what has nothing to do with them. */
const saysLittle = new Set(['application/x-apple-diskimage', 'application/x-cfb', 'model/stl', 'video/mp2t'])

/** Binary formats of which the library knows what their files look like. */
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

/** Whether what the bytes prove takes the place of what was declared. Where it does not, the declaration is a lie. */
function yields(name: string, declared: string, proved: string): boolean {
  const isGuess = !isBinaryFormat(declared)
  return isGuess || families.some((family) => family.test(declared) && family.test(proved)) || isPacked(name, proved)
}

/** `report.pdf.gz` is a PDF to the MIME tables of Python and Apache, which name the packing apart from the type. */
const isPacked = (name: string, proved: string) =>
  /^application\/(gzip|zstd|x-(bzip2|xz|lz4|lzip))$/.test(proved) &&
  (typeOfName(name) === proved || /^(svgz|emz|wmz|mcz)$/.test(extensionOf(name)))

const zipBased =
  /^application\/(zip|java-archive|x-xpinstall|vnd\.android\.package-archive|vnd\.visio|vnd\.openxmlformats-.*|vnd\.oasis\.opendocument\..*|vnd\.ms-.*\.macroenabled\.12)$|\+zip$|^model\/3mf$/
const programs = /^application\/(x-elf|x-mach-binary|vnd\.microsoft\.portable-executable|java-vm|wasm)$/
const movies = /^(video\/(mp4|quicktime|3gpp2?)|audio\/(mp4|3gpp2?)|application\/mp4)$/
const rawImages = /^image\/(tiff|x-canon-cr2|x-nikon-nef|x-sony-arw|x-adobe-dng)$/

/** What files of a declared type may show besides their own signature, because one is built upon the other. */
const mayShow: readonly (readonly [declared: RegExp, proved: RegExp])[] = [
  [zipBased, /^application\/zip$/],
  [/^application\/zip$/, zipBased],
  [
    /^application\/(java-archive|x-xpinstall|vnd\.android\.package-archive)$/,
    /^application\/(java-archive|x-xpinstall|vnd\.android\.package-archive)$/,
  ],
  // Older office formats, newer ones behind a password, installers, mail.
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
  // The tag of MP3 stands before other sound too.
  [/^(audio|video)\/|^application\/ogg$/, /^audio\/mpeg$/],
  [/^video\/mp2t$/, /^video\/mpeg$/],
  [
    /^application\/(x-executable|x-sharedlib|x-pie-executable|x-object|x-core(dump)?|vnd\.appimage|x-kernel.*)$/,
    programs,
  ],
  [/^application\/x-apple-diskimage$/, /^application\/(gzip|x-bzip2|x-xz|zip)$/],
]

/** Containers that many other formats are built upon. A declared type that the library does not know may be one of them. */
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
