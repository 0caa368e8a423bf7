import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import type { ExaminedObject, ExpectedObject } from './blobStore.ts'
import type { ObjectAnswer, PlainRequests } from './plainRequests.ts'
import { readStartOf } from './readBody.ts'
import { readExaminedObject } from './readS3Answer.ts'
import { describeFailure, unavailable } from './s3Failure.ts'

/** Up to here the whole object is read, which costs the store and the network hardly more than its start does. */
const largestReadWhole = 65_536

/** `BlobStore.examine` over S3. */
export async function examineObject(
  client: S3Client,
  plain: PlainRequests,
  bucket: string,
  key: string,
  { byteSize, startBytes }: ExpectedObject,
): Promise<ExaminedObject | null> {
  if (!Number.isInteger(startBytes) || startBytes < 1 || startBytes > largestReadWhole) {
    throw new RangeError(`Cannot read ${startBytes} bytes`)
  }
  const bytesOf = (length: number) => (length <= largestReadWhole ? length : startBytes)
  const get = async (range: string | undefined) =>
    (await plain.get(key, range, bytesOf)) ?? getThroughSdk(client, { Bucket: bucket, Key: key, Range: range }, bytesOf)
  const range = byteSize > largestReadWhole ? `bytes=0-${startBytes - 1}` : undefined
  try {
    const answer = await get(range)
    // An empty object has no first byte, so no range of it exists.
    const start = answer === 'InvalidRange' ? await get(undefined) : answer
    if (start === 'NoSuchKey') return null
    if (start === 'InvalidRange') throw new Error('The store knows no range of an object of which none was asked for')
    return readExaminedObject(start, startBytes)
  } catch (error) {
    throw unavailable('GET', error)
  }
}

async function getThroughSdk(
  client: S3Client,
  asked: { readonly Bucket: string; readonly Key: string; readonly Range: string | undefined },
  bytesOf: (length: number) => number,
): Promise<ObjectAnswer> {
  try {
    const head = await client.send(new GetObjectCommand(asked))
    const { ContentLength = 0 } = head
    return { head, bytes: await readStartOf(head, Math.max(bytesOf(ContentLength), 1)) }
  } catch (error) {
    const { code, status } = describeFailure(error)
    if (code === 'NoSuchKey') return code
    if (status === 416) return 'InvalidRange'
    throw error
  }
}
