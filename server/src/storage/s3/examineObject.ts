import { createHash, type Hash } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import type { ExaminedObject, ExpectedObject, HashedObject, ReadOptions } from '../blobStore.ts'
import { readStartOf } from './objectBodies.ts'
import type { AskedObject, BytesOf, ObjectAnswer, PlainRequests } from './plainRequests.ts'
import { hasMd5Etag, type ObjectPart, readExaminedObject, readLabels, readPartHead } from './readS3Answer.ts'
import { describeFailure, unavailable } from './s3Failure.ts'

/** An object up to this size is read whole. That costs little more than reading its start. */
const largestReadWhole = 65_536

/** The part of an object that is in memory while it is hashed. */
const rangeBytes = 8 * 1024 ** 2

/** Hashing this much takes about a millisecond. Then the event loop serves other requests. */
const hashedAtOnce = 512 * 1024

/** Reads objects with plain requests, and with the SDK if a plain request gives no usable answer. */
export interface ObjectReader {
  readonly client: S3Client
  readonly plain: PlainRequests
  readonly bucket: string
}

/** `BlobStore.examine` over S3. */
export async function examineObject(
  reader: ObjectReader,
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
  reader: ObjectReader,
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
async function readRange(reader: ObjectReader, asked: AskedObject, offset: number): Promise<ObjectPart | null> {
  const bytesOf = (length: number) => Math.min(length, rangeBytes)
  const question = { ...asked, range: `bytes=${offset}-${offset + rangeBytes - 1}` }
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
async function getFromStart(reader: ObjectReader, asked: AskedObject, bytesOf: BytesOf): Promise<ObjectPart | null> {
  const answer = await getObject(reader, asked, bytesOf)
  // An empty object has no first byte, so the range does not exist.
  const start = answer === 'InvalidRange' ? await getObject(reader, { ...asked, range: undefined }, bytesOf) : answer
  return start === 'NoSuchKey' ? null : partOf(start)
}

function partOf(answer: ObjectAnswer): ObjectPart {
  if (typeof answer === 'string') throw new Error(`The store gave no part of the object: ${answer}`)
  return answer
}

const getObject = async (reader: ObjectReader, asked: AskedObject, bytesOf: BytesOf): Promise<ObjectAnswer> =>
  (await reader.plain.get(asked, bytesOf)) ?? getThroughSdk(reader, asked, bytesOf)

async function getThroughSdk(
  { client, bucket }: ObjectReader,
  asked: AskedObject,
  bytesOf: BytesOf,
): Promise<ObjectAnswer> {
  const { key, range, etag } = asked
  try {
    const condition = etag === undefined ? {} : { IfMatch: `"${etag}"` }
    const head = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key, Range: range, ...condition }))
    const { ContentLength = 0 } = head
    return { head, bytes: await readStartOf(head, Math.max(bytesOf(ContentLength), 1)) }
  } catch (error) {
    const { code, status } = describeFailure(error)
    if (code === 'NoSuchKey') return code
    if (status === 416) return 'InvalidRange'
    if (status === 412) return 'PreconditionFailed'
    throw error
  }
}
