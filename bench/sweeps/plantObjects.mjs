import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { content, etag, keyOf } from './objects.mjs'
import { bucketKeys, product } from './product.mjs'

const magic = Buffer.from('FGOBJ\r\n1', 'latin1')

/**
 * Puts objects into the folder of a local bucket as it keeps them, through its own key ranges, and without waiting for
 * the disk after each one as a PUT does.
 */
export async function plantObjects(directory, tenantId, count, bucket = bucketKeys.bucket) {
  const { openObjectStore } = await product('embedded/bucket/objectStore.ts')
  const { fileNameOf, keyBytes } = await product('embedded/bucket/keyFileName.ts')
  const { ranges } = openObjectStore(join(directory, bucket))
  for (let n = 1; n <= count; n += 1) {
    const key = keyOf(tenantId, n)
    const headers = { 'content-type': 'text/plain' }
    const record = { key, size: content.length, etag, modified: Date.now(), headers, metadata: {}, checksums: {} }
    const json = Buffer.from(JSON.stringify(record))
    const length = Buffer.alloc(4)
    length.writeUInt32BE(json.length)
    const bytes = keyBytes(key)
    const range = ranges.find(bytes)
    writeFileSync(join(range.directory, fileNameOf(bytes)), Buffer.concat([content, json, length, magic]))
    ranges.noteAdded(range)
  }
}
