/** Looks at the first bytes of a file. Everything here answers for any bytes, however short. */
export type Signature = (bytes: Uint8Array) => boolean

const at = (offset: number, expected: string): Signature => {
  const wanted = Buffer.from(expected, 'latin1')
  return (bytes) => wanted.equals(bytes.subarray(offset, offset + wanted.length))
}
const any = (...signatures: Signature[]): Signature => {
  return (bytes) => signatures.some((signature) => signature(bytes))
}
const all = (...signatures: Signature[]): Signature => {
  return (bytes) => signatures.every((signature) => signature(bytes))
}

const ftyp = at(4, 'ftyp')
const stillImageBrands = new Set([
  'avif',
  'avis',
  'heic',
  'heix',
  'heim',
  'heis',
  'hevc',
  'hevx',
  'mif1',
  'msf1',
  'miaf',
])

/** ISO base media file format: one box that lists the brands that the file conforms to. */
function hasStillImageBrand(bytes: Uint8Array): boolean {
  if (!ftyp(bytes)) return false
  const box = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const end = Math.min(box.readUInt32BE(0), box.length - 3)
  for (let offset = 8; offset < end; offset += 4) {
    if (stillImageBrands.has(box.toString('latin1', offset, offset + 4))) return true
  }
  return false
}

export const isPng = at(0, '\x89PNG\r\n\x1a\n')
export const isJpeg = at(0, '\xff\xd8\xff')
export const isGif = any(at(0, 'GIF87a'), at(0, 'GIF89a'))
export const isWebp = all(at(0, 'RIFF'), at(8, 'WEBP'))
export const isStillImage: Signature = hasStillImageBrand
export const isGzip = at(0, '\x1f\x8b')
/** Also an empty or a spanned archive. */
export const isZip = any(at(0, 'PK\x03\x04'), at(0, 'PK00PK\x03\x04'), at(0, 'PK\x05\x06'), at(0, 'PK\x07\x08'))
/** The container of older office formats, and of newer ones behind a password. */
export const isCompoundFile = at(0, '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1')
/** QuickTime files from before 2000 start with any of their boxes. */
export const isMovie: Signature = any(
  ftyp,
  ...['moov', 'mdat', 'free', 'skip', 'wide', 'pnot', 'styp', 'moof'].map((box) => at(4, box)),
)
export const isWave: Signature = all(any(at(0, 'RIFF'), at(0, 'RIFX'), at(0, 'RF64'), at(0, 'BW64')), at(8, 'WAVE'))
export const isOgg = at(0, 'OggS')
export const isFlac = any(at(0, 'fLaC'), at(0, 'ID3'), isOgg)
export const isWoff = at(0, 'wOFF')
export const isWoff2 = at(0, 'wOF2')
export const isMatroska = at(0, '\x1a\x45\xdf\xa3')
/** A script before the archive makes it executable, as with Spring Boot and zipapp. */
export const isScriptStart = at(0, '#!')

/** The header may stand anywhere in the first 1,024 bytes (Adobe's implementation note 13 to PDF 1.7). */
export const isPdf: Signature = (bytes) => Buffer.from(bytes.subarray(0, 1_024)).includes('%PDF-')

export type Executable = 'a Windows executable' | 'a Linux executable' | 'a macOS executable'

/** What kind of program this is, if it is one. A text that starts with `MZ` is none: a program has NUL bytes. */
export function executableKind(bytes: Uint8Array): Executable | null {
  if (at(0, '\x7fELF')(bytes)) return 'a Linux executable'
  if (at(0, 'MZ')(bytes) && bytes.subarray(0, 64).includes(0)) return 'a Windows executable'
  if (['\xfe\xed\xfa\xce', '\xfe\xed\xfa\xcf', '\xce\xfa\xed\xfe', '\xcf\xfa\xed\xfe'].some((m) => at(0, m)(bytes))) {
    return 'a macOS executable'
  }
  return isUniversalBinary(bytes) ? 'a macOS executable' : null
}

/** Java classes start with the same four bytes; there a format version above 44 stands where the count of parts is here. */
function isUniversalBinary(bytes: Uint8Array): boolean {
  if (!at(0, '\xca\xfe\xba\xbe')(bytes) || bytes.length < 8) return false
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(4) < 45
}

/** A page or a script of a page, past blanks, a byte order mark and comments. */
export function isHtml(bytes: Uint8Array): boolean {
  const start = Buffer.from(bytes.subarray(0, 1_024)).toString('utf8')
  const bare = start.replace(/^\ufeff/, '').replace(/^(\s|<!--[\s\S]*?-->)+/, '')
  return /^<(!doctype\s+html|html|head|body|script|iframe|\?php)[\s>/]/i.test(bare)
}

/** UTF-16 and UTF-32 have NUL bytes in honest text, and say so by their mark. */
const hasWideMark = any(at(0, '\xff\xfe'), at(0, '\xfe\xff'), at(0, '\0\0\xfe\xff'))

export function isBinary(bytes: Uint8Array): boolean {
  return bytes.includes(0) && !hasWideMark(bytes)
}

/** Text in any encoding that extends ASCII, or marked as wide: none of the control characters that text has no use for. */
export function readsAsText(bytes: Uint8Array): boolean {
  if (hasWideMark(bytes)) return true
  return !bytes.some((byte) => byte < 0x20 && !textControls.has(byte))
}

/** Backspace, tab, line feed, vertical tab, form feed, carriage return, the end mark of old systems, escape. */
const textControls = new Set([0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x1a, 0x1b])
