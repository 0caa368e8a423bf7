import { crc32, deflateSync, deflateRawSync } from 'node:zlib'

/** Makes a one-page PDF 1.4 with a heading and lines of Latin text. Source of the structure: ISO 32000-1, annex H.3. */
export function makePdf(heading: string, lines: readonly string[]): Buffer {
  const text = [
    `BT /F1 24 Tf 56 770 Td (${escaped(heading)}) Tj ET`,
    ...lines.map((line, at) => `BT /F1 12 Tf 56 ${730 - at * 20} Td (${escaped(line)}) Tj ET`),
  ].join('\n')
  return assemble([
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>',
    `<< /Length ${Buffer.byteLength(text, 'latin1')} >>\nstream\n${text}\nendstream`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>',
  ])
}

/** Adds the cross-reference table. Readers find objects by the byte offsets in it. */
function assemble(objects: readonly string[]): Buffer {
  let body = '%PDF-1.4\n'
  const offsets = objects.map((object, at) => {
    const offset = Buffer.byteLength(body, 'latin1')
    body += `${at + 1} 0 obj\n${object}\nendobj\n`
    return offset
  })
  const rows = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('')
  const size = objects.length + 1
  const start = Buffer.byteLength(body, 'latin1')
  const end = `xref\n0 ${size}\n0000000000 65535 f \n${rows}trailer\n<< /Size ${size} /Root 1 0 R >>\nstartxref\n${start}\n%%EOF\n`
  return Buffer.from(body + end, 'latin1')
}

const escaped = (text: string) => text.replace(/[\\()]/g, '\\$&')

type Rgb = readonly [red: number, green: number, blue: number]

/**
 * Makes a true-colour PNG. `colourAt` returns the colour of each pixel. Source of the format: W3C PNG, third edition.
 */
export function makePng(width: number, height: number, colourAt: (x: number, y: number) => Rgb): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 2, 0, 0, 0], 8)
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(scanlines(width, height, colourAt))),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

/** Each line starts with its filter type, here 0 for none. */
function scanlines(width: number, height: number, colourAt: (x: number, y: number) => Rgb): Buffer {
  const lines = Buffer.alloc(height * (1 + width * 3))
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) lines.set(colourAt(x, y), y * (1 + width * 3) + 1 + x * 3)
  }
  return lines
}

function chunk(type: string, data: Buffer): Buffer {
  const typed = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const framed = Buffer.alloc(typed.length + 8)
  framed.writeUInt32BE(data.length, 0)
  typed.copy(framed, 4)
  framed.writeUInt32BE(crc32(typed), typed.length + 4)
  return framed
}

const samplesPerSecond = 8_000

/**
 * Makes mono tones of a quarter of a second each, with 8 bits per sample. Source of the format: Microsoft RIFF,
 * WAVE_FORMAT_PCM.
 */
export function makeWav(tonesInHertz: readonly number[]): Buffer {
  const samplesPerTone = samplesPerSecond / 4
  const samples = Buffer.alloc(samplesPerTone * tonesInHertz.length)
  for (let at = 0; at < samples.length; at += 1) {
    const hertz = tonesInHertz[Math.floor(at / samplesPerTone)] ?? 0
    const fade = 1 - (at % samplesPerTone) / samplesPerTone
    samples[at] = 128 + Math.round(90 * fade * Math.sin((2 * Math.PI * hertz * at) / samplesPerSecond))
  }
  return Buffer.concat([waveHeader(samples.length), samples])
}

function waveHeader(byteSize: number): Buffer {
  const bytes = Buffer.alloc(44)
  bytes.write('RIFF', 0, 'latin1')
  bytes.writeUInt32LE(36 + byteSize, 4)
  bytes.write('WAVEfmt ', 8, 'latin1')
  bytes.writeUInt32LE(16, 16)
  bytes.writeUInt16LE(1, 20)
  bytes.writeUInt16LE(1, 22)
  bytes.writeUInt32LE(samplesPerSecond, 24)
  bytes.writeUInt32LE(samplesPerSecond, 28)
  bytes.writeUInt16LE(1, 32)
  bytes.writeUInt16LE(8, 34)
  bytes.write('data', 36, 'latin1')
  bytes.writeUInt32LE(byteSize, 40)
  return bytes
}

interface ZipEntry {
  readonly name: string
  readonly content: Buffer
}

/**
 * Makes a ZIP archive of deflated entries, dated 1 January 2026. Source of the format: PKWARE APPNOTE 6.3.10, section
 * 4.3.
 */
export function makeZip(entries: readonly ZipEntry[]): Buffer {
  const packed = entries.map((entry) => ({ ...pack(entry), name: Buffer.from(entry.name, 'utf8') }))
  const locals: Buffer[] = []
  const central: Buffer[] = []
  let offset = 0
  for (const { name, facts, data } of packed) {
    const local = Buffer.concat([signature(0x04034b50), facts, lengths(name.length), name, data])
    const where = Buffer.alloc(14)
    where.writeUInt32LE(offset, 10)
    central.push(Buffer.concat([signature(0x02014b50), version, facts, lengths(name.length), where, name]))
    locals.push(local)
    offset += local.length
  }
  return Buffer.concat([...locals, ...central, endRecord(entries.length, Buffer.concat(central).length, offset)])
}

const version = Buffer.from([20, 0])

/** The fields that the local header and the central directory share, from "version needed" to "uncompressed size". */
function pack({ content }: ZipEntry): { facts: Buffer; data: Buffer } {
  const data = deflateRawSync(content)
  const facts = Buffer.alloc(22)
  facts.writeUInt16LE(20, 0)
  // Bit 11: the name is UTF-8.
  facts.writeUInt16LE(1 << 11, 2)
  facts.writeUInt16LE(8, 4)
  facts.writeUInt16LE(((2026 - 1980) << 9) | (1 << 5) | 1, 8)
  facts.writeUInt32LE(crc32(content), 10)
  facts.writeUInt32LE(data.length, 14)
  facts.writeUInt32LE(content.length, 18)
  return { facts, data }
}

function signature(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

/** The lengths of the name and of the extra field, which is empty. */
function lengths(name: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt16LE(name)
  return bytes
}

function endRecord(count: number, directorySize: number, directoryOffset: number): Buffer {
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(count, 8)
  end.writeUInt16LE(count, 10)
  end.writeUInt32LE(directorySize, 12)
  end.writeUInt32LE(directoryOffset, 16)
  return end
}
