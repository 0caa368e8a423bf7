import { lookup } from 'mime-types'
import { type MediaType, parseMediaType, unknownType } from './mediaType.ts'
import { canonicalType } from './synonyms.ts'

/** The text after the last dot of a name, in lower case. Empty for `Makefile` and `.profile`. */
export const extensionOf = (name: string): string => /[^.]\.([^.]{1,20})$/s.exec(name)?.[1]?.toLowerCase() ?? ''

/** Extensions that `mime-db` does not have, or maps to a rare format. */
const ownExtensions = new Map<string, string>([
  ['tgz', 'application/gzip'],
  ['tbz2', 'application/x-bzip2'],
  ['txz', 'application/x-xz'],
  ['zst', 'application/zstd'],
  ['lz4', 'application/x-lz4'],
  ['z', 'application/x-compress'],
  ['ndjson', 'application/x-ndjson'],
  ['jsonl', 'application/x-ndjson'],
  ['parquet', 'application/vnd.apache.parquet'],
  ['sqlite', 'application/vnd.sqlite3'],
  ['sqlite3', 'application/vnd.sqlite3'],
  ['cjs', 'text/javascript'],
  ['py', 'text/x-python'],
  ['tsx', 'text/x-typescript'],
  ['cts', 'text/x-typescript'],
  ['rs', 'text/x-rust'],
  ['bat', 'application/x-bat'],
  ['cmd', 'application/x-bat'],
  ['msi', 'application/x-msi'],
  ['ai', 'application/vnd.adobe.illustrator'],
  ['m4b', 'audio/mp4'],
])

/** The media type of an extension, or null. It is a guess: the bytes can be something else. */
export function typeOfName(name: string): string | null {
  const extension = extensionOf(name)
  if (extension === '') return null
  const found = ownExtensions.get(extension) ?? lookup(`.${extension}`)
  const essence = found === false ? null : (parseMediaType(found)?.essence ?? null)
  return essence === null ? null : canonicalType(essence)
}

/**
 * Declared types that are wrong for an extension. Operating systems and MIME tables send them: Windows calls a CSV file
 * Excel and every archive `application/x-compressed`, Linux calls Markdown a Genesis ROM, `mime-db` calls Rust an RLS
 * document and a batch file a program.
 */
const falseTypes: readonly (readonly [extensions: string, types: string])[] = [
  ['csv tsv tab', 'application/vnd.ms-excel'],
  ['xlsx', 'application/vnd.ms-excel'],
  ['docx', 'application/msword'],
  ['pptx', 'application/vnd.ms-powerpoint'],
  ['zip rar 7z gz tgz bz2 xz', 'application/x-compressed'],
  ['stl', 'application/vnd.ms-pki.stl'],
  ['md', 'application/x-genesis-rom'],
  ['rs', 'application/rls-services+xml'],
  ['bat cmd msi', 'application/vnd.microsoft.portable-executable'],
  ['m4a m4b', 'video/mp4'],
  ['oga opus spx', 'video/ogg application/ogg'],
  ['weba', 'video/webm'],
  ['mka', 'video/matroska'],
  ['svg', 'application/xml text/plain'],
  ['js mjs cjs', 'text/plain'],
]

const isFalseFor = new Set(
  falseTypes.flatMap(([extensions, types]) =>
    extensions.split(' ').flatMap((extension) => types.split(' ').map((type) => `${extension} ${type}`)),
  ),
)

/**
 * The media type that a declaration means: its stored name, or the type of the extension if the declared type is known
 * to be wrong for it. Unknown bytes stay unknown. Expects an accepted declaration.
 */
export function meantType(name: string, declared: string): MediaType {
  const type = parseMediaType(declared) ?? { essence: unknownType, charset: null, codecs: null }
  const essence = canonicalType(type.essence)
  const corrected = isFalseFor.has(`${extensionOf(name)} ${essence}`) ? typeOfName(name) : null
  return { ...type, essence: corrected ?? essence }
}

/** As `meantType`, but guesses from the extension if nothing was declared. For decisions before the bytes are known. */
export function expectedType(name: string, declared: string): string {
  const { essence } = meantType(name, declared)
  return essence === unknownType ? (typeOfName(name) ?? unknownType) : essence
}
