import { gzipSync } from 'node:zlib'

/** The first bytes of files as their programs write them, by the specifications of the formats. */

export const latin1 = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'))
export const utf8 = (text: string) => new Uint8Array(Buffer.from(text))
export const utf16 = (text: string) => new Uint8Array(Buffer.from(text, 'utf16le'))
export const join = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts))
const zeros = (count: number) => new Uint8Array(count)

/** Bytes without a pattern, the same in every run. */
export function noise(count: number, seed = 1): Uint8Array {
  let state = seed
  return Uint8Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state >>> 24
  })
}

/** The first entries of an archive, stored without compression. */
export function zipWith(...entries: (readonly [name: string, content: string])[]): Uint8Array {
  return join(
    ...entries.map(([name, content]) => {
      const header = Buffer.alloc(30)
      header.write('PK\x03\x04', 'latin1')
      header.writeUInt16LE(20, 4)
      header.writeUInt32LE(content.length, 18)
      header.writeUInt32LE(content.length, 22)
      header.writeUInt16LE(name.length, 26)
      return join(header, utf8(name), utf8(content))
    }),
  )
}

export const box = (type: string, content: Uint8Array = zeros(0)) => {
  const size = Buffer.alloc(4)
  size.writeUInt32BE(8 + content.length)
  return join(size, latin1(type), content)
}
export const isoMedia = (major: string, ...others: string[]) =>
  join(box('ftyp', latin1(`${major}\0\0\0\0${others.join('')}`)), box('moov', zeros(64)))

const openXml = (part: string) =>
  zipWith([
    '[Content_Types].xml',
    `<Types><Override ContentType="application/vnd.openxmlformats-officedocument.${part}.main+xml"/></Types>`,
  ])

function portableExecutable(): Uint8Array {
  const stub = Buffer.alloc(128)
  stub.write('MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff', 'latin1')
  stub.writeUInt32LE(128, 60)
  return join(stub, latin1('PE\0\0\x64\x86'), zeros(200))
}

function tar(): Uint8Array {
  const header = Buffer.alloc(512)
  header.write('readme.txt')
  header.write('0000644 0001750 0001750 00000000005 14573420523 '.replaceAll(' ', '\0'), 100, 'latin1')
  header.write('ustar\x0000', 257, 'latin1')
  return join(header, utf8('hello'), zeros(507))
}

function bitmap(): Uint8Array {
  const header = Buffer.alloc(54)
  header.write('BM', 'latin1')
  header.writeUInt32LE(54, 10)
  header.writeUInt32LE(40, 14)
  return join(header, noise(64))
}

function trueType(): Uint8Array {
  const header = Buffer.from([0, 1, 0, 0, 0, 17, 1, 0, 0, 4, 0, 16])
  return join(header, latin1('DSIG'), noise(60))
}

const ebml = (docType: string) =>
  join(
    latin1('\x1a\x45\xdf\xa3\x93\x42\x86\x81\x01\x42\x82'),
    Uint8Array.of(0x80 + docType.length),
    latin1(docType),
    zeros(40),
  )
const ogg = (codec: string) => join(latin1(`OggS\0\x02${'\0'.repeat(20)}\x01\x1e`), latin1(codec), zeros(40))
const riff = (form: string, magic = 'RIFF') => join(latin1(`${magic}\x24\x08\0\0${form}`), zeros(40))
const transportStream = (size: number, offset: number) => {
  const packets = noise(size * 6).map((byte) => (byte === 0x47 ? 0 : byte))
  for (let at = offset; at < packets.length; at += size) packets.set([0x47, 0x01, 0x00, 0x10], at)
  return packets
}
const id3 = (size: number) =>
  join(latin1('ID3\x03\0\0\0\0'), Uint8Array.of(size >> 7, size & 127), latin1('TIT2\0\0\0\x05\0\0\0song'))
const tiff = (text = 'II*\0\x08\0\0\0\x02\0') => join(latin1(text), zeros(60))

export const starts = {
  png: join(
    latin1('\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x04\0\0\0\xb5\x1c\x0c\x02'),
    latin1('\0\0\0\x0bIDATx\xdac\x64`\0\0\0\x06\0\x02'),
  ),
  jpeg: latin1('\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0'),
  jpegOfPhone: latin1('\xff\xd8\xff\xe1\x01\x42Exif\0\0MM\0*\0\0\0\x08'),
  gif: latin1('GIF89a\x01\0\x01\0\x80\0\0\xff\xff\xff\0\0\0'),
  webp: riff('WEBPVP8 '),
  bmp: bitmap(),
  icon: latin1('\0\0\x01\0\x01\0\x10\x10\0\0\x01\0\x20\0\x68\x04\0\0\x16\0\0\0'),
  heic: isoMedia('heic', 'mif1', 'heic'),
  heif: isoMedia('mif1', 'heic', 'miaf'),
  avif: isoMedia('avif', 'mif1', 'miaf', 'MA1B'),
  avifGeneral: isoMedia('mif1', 'avif', 'miaf'),
  avifSequence: isoMedia('avis', 'avif', 'msf1', 'iso8'),
  jxl: latin1('\0\0\0\x0cJXL \r\n\x87\n\0\0\0\x14ftypjxl \0\0\0\0jxl '),
  jxlStream: join(latin1('\xff\x0a'), noise(60)),
  tiff: tiff(),
  bigTiff: tiff('II+\0\x08\0\0\0'),
  tiffBig: tiff('MM\0*\0\0\0\x08\0\x02'),
  canonRaw: tiff('II*\0\x10\0\0\0CR\x02\0\0\0\0\0'),
  canonRaw3: isoMedia('crx ', 'crx ', 'isom'),
  photoshop: latin1(`8BPS\0\x01${'\0'.repeat(6)}\0\x03\0\0\0\x01\0\0\0\x01`),
  mp4: isoMedia('isom', 'iso2', 'avc1', 'mp41'),
  mp4Fragment: join(box('styp', latin1('msdh\0\0\0\0msdhmsix')), box('sidx', zeros(44))),
  mp4Sidx: join(box('sidx', zeros(44)), box('moof', zeros(100))),
  mp4Emsg: join(box('emsg', zeros(60)), box('moof', zeros(100))),
  mp4Prft: join(box('prft', zeros(24)), box('moof', zeros(100))),
  m4a: isoMedia('M4A ', 'mp42', 'isom'),
  quickTime: isoMedia('qt  ', 'qt  '),
  quickTimeWide: join(box('wide'), box('mdat', zeros(60))),
  quickTimeFree: join(box('free', zeros(8)), box('mdat', zeros(60))),
  quickTimeSkip: join(box('skip', zeros(8)), box('moov', zeros(60))),
  threeGp: isoMedia('3gp4', '3gp4', 'isom'),
  f4v: isoMedia('f4v ', 'isom', 'mp42'),
  webm: ebml('webm'),
  matroska: ebml('matroska'),
  avi: riff('AVI LIST'),
  flv: latin1('FLV\x01\x05\0\0\0\x09\0\0\0\0'),
  mpegProgram: join(latin1('\0\0\x01\xba\x44\0\x04\0\x04\x01'), noise(60)),
  transport: transportStream(188, 0),
  transportOfCamera: transportStream(192, 4),
  wav: riff('WAVEfmt \x10\0\0\0'),
  waveOf64Bits: riff('WAVEds64', 'RF64'),
  waveOfBroadcast: riff('WAVEds64', 'BW64'),
  mp3: join(id3(300), zeros(280), latin1('\xff\xfb\x90\x44'), noise(200)),
  mp3Frames: join(latin1('\xff\xfb\x90\x44'), noise(600)),
  adts: join(latin1('\xff\xf1\x50\x80\x2e\x7f\xfc'), noise(600)),
  adtsWithTag: join(id3(63), zeros(48), latin1('\xff\xf1\x50\x80\x2e\x7f\xfc'), noise(200)),
  flac: latin1(`fLaC\0\0\0\x22\x10\0\x10\0${'\0'.repeat(30)}`),
  opus: ogg('OpusHead\x01\x02'),
  vorbis: ogg('\x01vorbis\0\0\0\0\x02'),
  speex: ogg('Speex   1.2'),
  theora: ogg('\x80theora\x03\x02'),
  aiff: latin1(`FORM\0\0\x10\0AIFFCOMM\0\0\0\x12${'\0'.repeat(20)}`),
  midi: latin1('MThd\0\0\0\x06\0\x01\0\x02\x01\xe0MTrk'),
  amr: join(latin1('#!AMR\n'), noise(100)),
  pdf: latin1('%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< >>\nendobj\n'),
  pdfOfText: latin1('%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\n'),
  zip: zipWith(['a.txt', 'hello']),
  emptyZip: latin1(`PK\x05\x06${'\0'.repeat(18)}`),
  spannedZip: join(latin1('PK00'), zipWith(['a.txt', 'hello'])),
  docx: openXml('wordprocessingml.document'),
  xlsx: openXml('spreadsheetml.sheet'),
  pptx: openXml('presentationml.presentation'),
  docxPlain: zipWith(['word/document.xml', '<w/>']),
  odt: zipWith(['mimetype', 'application/vnd.oasis.opendocument.text']),
  epub: zipWith(['mimetype', 'application/epub+zip']),
  jar: zipWith(['META-INF/MANIFEST.MF', 'Manifest-Version: 1.0\r\n']),
  apk: zipWith(['AndroidManifest.xml', '\x03\0\x08\0'], ['classes.dex', 'dex\n035\0']),
  pages: zipWith(['Index/Document.iwa', '\0\x01\x02'], ['preview.jpg', 'x']),
  compound: join(
    latin1('\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1'),
    zeros(16),
    latin1('\x3e\0\x03\0\xfe\xff\x09\0'),
    zeros(480),
  ),
  gzip: new Uint8Array(gzipSync('hello')),
  bzip2: join(latin1('BZh91AY&SY'), noise(40)),
  xz: join(latin1('\xfd7zXZ\0\0\x04\xe6\xd6\xb4\x46'), noise(40)),
  zstd: join(latin1('\x28\xb5\x2f\xfd\x24'), noise(40)),
  sevenZip: join(latin1('7z\xbc\xaf\x27\x1c\0\x04'), noise(40)),
  rar: join(latin1('Rar!\x1a\x07\x01\0'), noise(40)),
  tar: tar(),
  cabinet: latin1('MSCF\0\0\0\0\x9c\x10\0\0\0\0\0\0\x2c\0\0\0'),
  deb: join(latin1('!<arch>\ndebian-binary   1342943816  0     0     100644  4         `\n2.0\n'), noise(200)),
  rpm: join(latin1('\xed\xab\xee\xdb\x03\0\0\0\0\x01'), zeros(60)),
  windowsProgram: portableExecutable(),
  linuxProgram: join(latin1('\x7fELF\x02\x01\x01'), zeros(60)),
  appleProgram: join(latin1('\xcf\xfa\xed\xfe\x07\0\0\x01\x03\0\0\0\x02\0\0\0'), zeros(60)),
  appleUniversal: join(latin1('\xca\xfe\xba\xbe\0\0\0\x02\x01\0\0\x07'), zeros(60)),
  javaClass: join(latin1('\xca\xfe\xba\xbe\0\0\0\x41\0\x22'), noise(60)),
  wasm: latin1('\0asm\x01\0\0\0\x01\x04\x01\x60\0\0'),
  sqlite: join(latin1('SQLite format 3\0\x10\0\x01\x01\0\x40\x20\x20'), zeros(80)),
  ttf: trueType(),
  otf: join(latin1('OTTO\0\x0b\0\x80\0\x03\0\x30'), latin1('CFF '), noise(60)),
  woff: latin1('wOFF\0\x01\0\0\0\0\x10\0\0\x0c\0\0'),
  woff2: latin1('wOF2\0\x01\0\0\0\0\x10\0\0\x0c\0\0'),
  epsOfDos: join(latin1('\xc5\xd0\xd3\xc6\x20\0\0\0\x10\x20\0\0'), zeros(40)),
} satisfies Record<string, Uint8Array>

export type StartName = keyof typeof starts
