import { fileTypeFromBuffer } from 'file-type'
import { essenceOf } from '../../mediaTypes/mediaType.ts'
import { canonicalType } from '../../mediaTypes/synonyms.ts'

/**
 * Control characters that occur in text: tab, line breaks, form feed, backspace, the end mark of old systems, and
 * escape.
 */
const textControls = new Set([0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x1a, 0x1b])

const isBinaryByte = (byte: number) => byte < 0x20 && !textControls.has(byte)

/** True for text in any encoding that extends ASCII, or in UTF-16 or UTF-32 with a byte order mark. */
export function readsAsText(bytes: Uint8Array): boolean {
  const [first, second, third, fourth] = bytes
  const hasWideMark = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)
  const hasWidestMark = first === 0 && second === 0 && third === 0xfe && fourth === 0xff
  return hasWideMark || hasWidestMark || !bytes.some(isBinaryByte)
}

const packet = String.raw`G[\0-\x7f][^][\x10-\x3f\x90-\xbf\xd0-\xff]`

/**
 * Additional patterns for formats whose signature in `file-type` is shorter than four bytes, consists of letters that
 * can start a text, or is at a position where other data can look the same. In latin1.
 */
const confirmations: Readonly<Record<string, RegExp>> = {
  'application/java-vm': /^\xca\xfe\xba\xbe[^]{2}\0[\x2d-\xff]/,
  'application/vnd.adobe.flash.movie': /^[CFZ]WS[\x01-\x32]/,
  'application/vnd.sqlite3': /^SQLite format 3\0/,
  'application/wasm': /^\0asm[\x01-\x0f]\0[\x01\0]\0/,
  'application/x-bzip2': /^BZh[1-9](1AY&SY|\x17rE8P\x90)/,
  'application/x-lzip': /^LZIP[\0\x01]/,
  'application/x-tar': /^[^]{257}ustar[\0 ]/,
  'application/dicom': /^[^]{128}DICM\x02\0/,
  'application/x-blender': /^BLENDER[-_][vV]\d{3}/,
  'audio/aiff': /^FORM[^]{4}AIF[FC]/,
  'audio/midi': /^MThd\0\0\0\x06/,
  'font/collection': /^ttcf\0[\x01\x02]\0\0/,
  'image/bmp': /^BM[^]{4}\0{4}[^]{4}[\x0c\x10\x28\x34\x38\x40\x6c\x7c]\0\0\0/,
  'image/gif': /^GIF8[79]a/,
  'image/jpeg': /^\xff\xd8\xff[\xc0-\xcf\xdb\xdd\xe0-\xef\xfe]/,
  'image/jxl': /^\0\0\0\x0cJXL \r\n\x87\n/,
  'image/vnd.adobe.photoshop': /^8BPS\0[\x01\x02]\0{6}/,
  'image/vnd.dwg': /^AC10\d\d\0/,
  'image/vnd.ms-photo': /^II\xbc\x01/,
  'image/icns': /^icns\0/,
  // Five packets of 188 bytes, or of 192 with a leading time stamp, whose headers have no reserved value.
  'video/mp2t': new RegExp(`^(${packet}[^]{184}){4}${packet}|^([^]{4}${packet}[^]{184}){4}[^]{4}${packet}`),
  'video/mpeg': /^\0\0\x01(\xba[\x21\x31\x44-\x7f]|\xb3)/,
  'video/quicktime': /^[\0-\x0f][^]{3}(free|mdat|moov|wide)/,
}

/**
 * Formats that `file-type` detects from too little evidence: frame syncs, two letters, free text, or a guess. The
 * declaration decides.
 */
const uncertain = new Set(
  `application/pdf application/x-apple-diskimage application/x-arj application/x-asar application/x-compress application/x-cpio
  application/x-ms-regedit application/pgp-encrypted application/postscript application/rtf application/xml audio/aac
  audio/amr audio/ape audio/mpeg audio/vnd.dolby.dd-raw audio/x-it audio/x-musepack audio/x-s3m audio/x-xm audio/x-voc
  font/ttf image/vnd.microsoft.icon model/stl text/calendar text/vcard text/vtt video/mp4`.split(/\s+/),
)

/** Signatures that are plain text, followed by binary data. Others can be part of a text. */
const hasTextHeader = /^(BZh|!<arch>\n|BLENDER)/

/**
 * The media type that the first bytes prove, under its stored name. Null if they prove none. Never throws. 4,100 bytes
 * are enough for nearly all formats and limit the cost of crafted content.
 */
export async function certainType(start: Uint8Array): Promise<string | null> {
  const head = Buffer.from(start.buffer, start.byteOffset, start.byteLength).toString('latin1')
  if (isPdf(head)) return 'application/pdf'
  if (readsAsText(start)) return null
  const own = ownSignature(head)
  if (own !== undefined) return own
  if (!start.subarray(0, 32).some(isBinaryByte) && !hasTextHeader.test(head)) return null
  // Crafted bytes must not fail the caller: an error of the library counts as no detection.
  const detected = await fileTypeFromBuffer(start).catch(() => undefined)
  return detected ? confirmed(canonicalType(essenceOf(detected.mime)), head) : null
}

function confirmed(type: string, head: string): string | null {
  if (uncertain.has(type)) return null
  if (type === 'application/vnd.microsoft.portable-executable' && !isPortableExecutable(head)) return null
  return (confirmations[type]?.test(head) ?? true) ? type : null
}

/** A text can start with a PDF header, but not with the binary mark or an object after it. */
const isPdf = (head: string) =>
  /^(\xef\xbb\xbf)?%PDF-[12]\.\d[ \t]*[\r\n]/.test(head) &&
  (/[\r\n]%[^\r\n]{0,8}[\x80-\xff]{2}/.test(head) || /[\r\n]\d{1,10} \d{1,5} obj\b/.test(head))

/** Formats that the library detects wrongly or decompresses. They are decided first. Null: nothing is certain. */
function ownSignature(head: string): string | null | undefined {
  if (/^\x1f\x8b\x08[\0-\x1f][^]{4}[\0\x02\x04][\0-\x0d\xff]/.test(head)) return 'application/gzip'
  if (/^PK(00PK\x03\x04|\x05\x06|\x07\x08)/.test(head)) return 'application/zip'
  if (/^(RF64|BW64|RIFX)[^]{4}WAVE/.test(head)) return 'audio/wav'
  // An MP3 tag, which other audio formats can carry too. Whether it matches the declared type is decided elsewhere.
  if (/^ID3[\x02-\x04][^\xff][\0\x10-\xf0](?:[\0-\x7f]){4}/.test(head)) return 'audio/mpeg'
  if (/^\0[^]{3}ftyp/.test(head)) return brandedType(head)
  if (/^\0\x01\0\0\0[\x01-\x40]/.test(head) && isFontDirectory(head)) return 'font/ttf'
  return undefined
}

/**
 * The header of a program contains the position of its second header. DOS programs have none, and no certain signature.
 */
function isPortableExecutable(head: string): boolean {
  const second = Buffer.from(head.slice(60, 64), 'latin1')
  return second.length === 4 && /^(PE\0\0|NE|LE|LX)/.test(head.slice(second.readUInt32LE(0)))
}

/** OpenType: the search range is derived from the number of tables. */
function isFontDirectory(head: string): boolean {
  const [count = 0, range = 0] = [4, 6].map((offset) => head.charCodeAt(offset) * 256 + head.charCodeAt(offset + 1))
  return range === 16 * 2 ** Math.floor(Math.log2(count))
}

const brandedTypes: readonly (readonly [RegExp, string])[] = [
  [/^avi[fs]$/, 'image/avif'],
  [/^hei[cxms]$/, 'image/heic'],
  [/^(mif1|msf1|miaf|MiHB|MiHE)$/, 'image/heif'],
  [/^crx/, 'image/x-canon-cr3'],
  [/^qt/, 'video/quicktime'],
  [/^(M4A|M4B|F4A|F4B)/, 'audio/mp4'],
  [/^3g2/, 'video/3gpp2'],
  [/^3g/, 'video/3gpp'],
  [/^(iso[m2-9]|mp4[12]|avc1|hvc1|M4V|M4P|F4[VP]|dash|MSNV|ndsc|mmp4|XAVC|CAEP)/, 'video/mp4'],
]

/**
 * ISO base media: the first box lists the main brand and the compatible brands. Null for unknown brands, and for a
 * movie that is also compatible with a still image brand.
 */
function brandedType(head: string): string | null {
  const size = Buffer.from(head.slice(0, 4), 'latin1').readUInt32BE(0)
  const brands = [head.slice(8, 12), ...(head.slice(16, Math.min(size, 512)).match(/[^]{4}/g) ?? [])]
  const types = brands.map((brand) => brandedTypes.find(([pattern]) => pattern.test(brand))?.[1])
  const images = types.filter((type) => type?.startsWith('image/'))
  const [main] = types
  if (main !== undefined) return images.length === 0 || images.includes(main) ? sharpest(images, main) : null
  return sharpest(images, null)
}

/** AVIF and HEIC images are also `image/heif`. The more specific type wins. */
const sharpest = <T extends string | null>(images: readonly (string | undefined)[], main: T): string | T =>
  images.find((type) => type !== undefined && type !== 'image/heif') ?? images[0] ?? main
