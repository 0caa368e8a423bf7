import { crc32, deflateRawSync } from 'node:zlib'

export interface ZipEntry {
  readonly name: string
  readonly content: Buffer
}

/** A ZIP archive of deflated entries, dated 1 January 2026. Source of the format: PKWARE APPNOTE 6.3.10, section 4.3. */
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

/** Of the name, and of the extra field that we do not write. */
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
