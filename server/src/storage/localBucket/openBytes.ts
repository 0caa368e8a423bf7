import { closeSync, createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import type { ByteRange } from './byteRange.ts'
import type { OpenRecordFile } from './recordFile.ts'

/** The bytes in front of a record, or some of them. The stream closes the descriptor, also when it is destroyed early. */
export function openBytes(
  { descriptor, record }: OpenRecordFile<{ readonly size: number }>,
  range?: ByteRange,
): Readable {
  if (record.size === 0) {
    closeSync(descriptor)
    return Readable.from([])
  }
  const { start, end } = range ?? { start: 0, end: record.size - 1 }
  return createReadStream('', { fd: descriptor, start, end, highWaterMark: 256 * 1024 })
}
