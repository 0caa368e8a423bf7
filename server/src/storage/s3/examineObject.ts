import { createHash, type Hash } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { ExaminedObject, ExpectedObject, HashedObject, ReadOptions } from '../blobStore.ts'
import type { AskedObject, BucketReader, ObjectAnswer } from './bucketReader.ts'
import { hasMd5Etag, type ObjectPart, readExaminedObject, readLabels, readPartHead } from './readS3Answer.ts'
import { unavailable } from './s3Failure.ts'
import type { BytesOf } from './storeRequests.ts'

/** An object up to this size is read whole. That costs little more than reading its start. */
const largestReadWhole = 65_536

/** The part of an object that is in memory while it is hashed. */
const rangeBytes = 8 * 1024 ** 2

/** Hashing this much takes about a millisecond. Then the event loop serves other requests. */
const hashedAtOnce = 512 * 1024

/** `BlobStore.readStart` over S3. */
export async function readStart(reader: BucketReader, key: string, maxBytes: number): Promise<Uint8Array | null> {
  if (!Number.isSafeInteger(maxBytes) || maxBytes < 1) throw new RangeError(`Cannot read ${maxBytes} bytes`)
  try {
    const start = await getFromStart(reader, { key, range: `bytes=0-${maxBytes - 1}` }, (length) =>
      Math.min(length, maxBytes),
    )
    if (!start) return null
    const { byteSize } = readPartHead(start.head, 0)
    const expected = Math.min(maxBytes, byteSize)
    if (start.bytes.byteLength < expected) {
      throw new Error(`The body ended after ${start.bytes.byteLength} of ${expected} bytes`)
    }
    return Uint8Array.from(start.bytes)
  } catch (error) {
    throw unavailable('GET', error)
  }
}

/** `BlobStore.examine` over S3. */
export async function examineObject(
  reader: BucketReader,
  key: string,
  { byteSize, startBytes }: ExpectedObject,
  options: ReadOptions,
): Promise<ExaminedObject | null> {
  if (!Number.isInteger(startBytes) || startBytes < 1 || startBytes > largestReadWhole) {
    throw new RangeError(`Cannot read ${startBytes} bytes`)
  }
  const bytesOf = (length: number) => (length <= largestReadWhole ? length : startBytes)
  const range = byteSize > largestReadWhole ? `bytes=0-${startBytes - 1}` : undefined
  try {
    const start = await getFromStart(reader, { key, range, ...options }, bytesOf)
    return start && readExaminedObject(start, startBytes)
  } catch (error) {
    throw unavailable('GET', error)
  }
}

/** `BlobStore.hash` over S3. */
export async function hashObject(
  reader: BucketReader,
  key: string,
  options: ReadOptions,
): Promise<HashedObject | null> {
  const [sha256, md5] = [createHash('sha256'), createHash('md5')]
  try {
    const first = await readRange(reader, { key, range: undefined, ...options }, 0)
    if (!first) return null
    const { byteSize, etag } = readPartHead(first.head, 0)
    await addToHashes([sha256, md5], first.bytes)
    for (let offset = first.bytes.byteLength; offset < byteSize;) {
      const part = await readRange(reader, { key, range: undefined, etag, ...options }, offset)
      if (!part) throw new Error('The object was deleted while it was read')
      const head = readPartHead(part.head, offset)
      if (head.etag !== etag || head.byteSize !== byteSize) throw new Error('The object changed while it was read')
      await addToHashes([sha256, md5], part.bytes)
      offset += part.bytes.byteLength
    }
    const isEtagOfBytes = hasMd5Etag(first.head) ? md5.digest('hex') === etag : null
    return { byteSize, etag, ...readLabels(first.head), sha256: sha256.digest('hex'), isEtagOfBytes }
  } catch (error) {
    throw unavailable('GET', error)
  }
}

/** Reads a whole range, or the rest of the object. Reads a truncated body again over another connection. */
async function readRange(reader: BucketReader, asked: AskedObject, offset: number): Promise<ObjectPart | null> {
  const bytesOf = (length: number) => Math.min(length, rangeBytes)
  const question = { ...asked, range: `bytes=${offset}-${offset + rangeBytes - 1}`, isLong: true }
  for (const onNewConnection of [asked.onNewConnection ?? false, true]) {
    const part = await getFromStart(reader, { ...question, onNewConnection }, bytesOf)
    if (!part) return null
    const { byteSize } = readPartHead(part.head, offset)
    if (part.bytes.byteLength === Math.min(rangeBytes, byteSize - offset)) return part
  }
  throw new Error('A range of the object is not complete')
}

async function addToHashes(hashes: readonly Hash[], bytes: Uint8Array): Promise<void> {
  for (let from = 0; from < bytes.byteLength; from += hashedAtOnce) {
    for (const hash of hashes) hash.update(bytes.subarray(from, from + hashedAtOnce))
    if (from + hashedAtOnce < bytes.byteLength) await nextTurn()
  }
}

/** Null if the object does not exist. */
async function getFromStart(reader: BucketReader, asked: AskedObject, bytesOf: BytesOf): Promise<ObjectPart | null> {
  const answer = await reader.get(asked, bytesOf)
  // An empty object has no first byte, so the range does not exist.
  const start = answer === 'InvalidRange' ? await reader.get({ ...asked, range: undefined }, bytesOf) : answer
  return start === 'NoSuchKey' ? null : partOf(start)
}

function partOf(answer: ObjectAnswer): ObjectPart {
  if (typeof answer === 'string') throw new Error(`The store gave no part of the object: ${answer}`)
  return answer
}
