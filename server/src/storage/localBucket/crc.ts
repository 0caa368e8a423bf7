import type { RunningChecksum } from './checksums.ts'

/** CRC-32C (Castagnoli), RFC 3720 appendix B.4, reflected. */
export function createCrc32c(): RunningChecksum {
  let value = -1
  return {
    update(chunk) {
      for (const byte of chunk) value = (value >>> 8) ^ crc32cTable[(value ^ byte) & 255]!
    },
    digest() {
      const bytes = Buffer.alloc(4)
      bytes.writeUInt32BE(~value >>> 0)
      return bytes
    },
  }
}

/** CRC-64/NVME (NVM Express 2.0, section 5.2.1.3.4), reflected, in two halves of 32 bits. */
export function createCrc64(): RunningChecksum {
  let high = -1
  let low = -1
  return {
    update(chunk) {
      for (const byte of chunk) {
        const entry = (low ^ byte) & 255
        low = ((low >>> 8) | (high << 24)) ^ crc64Low[entry]!
        high = (high >>> 8) ^ crc64High[entry]!
      }
    },
    digest() {
      const bytes = Buffer.alloc(8)
      bytes.writeUInt32BE(~high >>> 0, 0)
      bytes.writeUInt32BE(~low >>> 0, 4)
      return bytes
    },
  }
}

const crc32cTable = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1
  return value
})

const crc64Table = Array.from({ length: 256 }, (_, byte) => {
  let value = BigInt(byte)
  for (let bit = 0; bit < 8; bit++) value = value & 1n ? (value >> 1n) ^ 0x9a6c9329ac4bc9b5n : value >> 1n
  return value
})
const crc64High = Int32Array.from(crc64Table, (value) => Number(BigInt.asIntN(32, value >> 32n)))
const crc64Low = Int32Array.from(crc64Table, (value) => Number(BigInt.asIntN(32, value)))
